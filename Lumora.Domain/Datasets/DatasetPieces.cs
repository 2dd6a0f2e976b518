namespace Lumora.Domain.Datasets;

/// <summary>
/// The pieces of a stored age payload that <see cref="DatasetFile.BodyRoot"/> commits to: the payload cut every
/// 65,536 bytes from its start. They are not age's own chunks, so they can be checked without knowing age.
/// </summary>
public static class DatasetPieces
{
    /// <summary>Length of a piece in bytes; the last one may be shorter.</summary>
    public const int Bytes = 65_536;

    /// <summary>How many pieces a payload of <paramref name="bodyBytes"/> has.</summary>
    public static long CountOf(long bodyBytes) => (bodyBytes + Bytes - 1) / Bytes;
}
