using System.Globalization;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;

namespace Lumora.Chain.Anchoring;

/// <summary>
/// Keeps checkpoints that are anchored or recorded as their witnesses have cosigned them. Memo and event hold the log's own note alone;
/// a proof under it that shall meet a quorum needs the cosignatures too. They lie beside the tiles and are not served.
/// </summary>
public static class CosignedNotes
{
    /// <summary>Notes that are kept of a log, the newest ones: proofs are made under the newest anchor.</summary>
    public const int KeptMax = 256;

    private const string Folder = "cosigned";

    /// <summary>Keeps the cosigned form of <paramref name="checkpoint"/>; nothing when nobody has cosigned it.</summary>
    public static async Task KeepAsync(FolderBlobStore blobs, PublishedCheckpoint checkpoint, CancellationToken ct)
    {
        if (checkpoint.Served.AsSpan().SequenceEqual(checkpoint.Note))
            return;
        await blobs.ReplaceAsync(PathOf(checkpoint.Checkpoint.Size), checkpoint.Served, ct);
        foreach (var size in Kept(blobs).OrderDescending().Skip(KeptMax))
            await blobs.DeleteAsync(PathOf(size), ct);
    }

    /// <summary>The cosigned form of <paramref name="note"/>, or the note itself where none is kept.</summary>
    public static async Task<byte[]> FindAsync(FolderBlobStore blobs, byte[] note, CancellationToken ct)
    {
        var text = SignedNote.Parse(note).Text;
        return await blobs.ReadAsync(PathOf(Checkpoint.Parse(text).Size), ct) is { } kept && SignedNote.Parse(kept).Text == text ? kept : note;
    }

    private static IEnumerable<long> Kept(FolderBlobStore blobs) =>
        Directory.EnumerateFiles(blobs.FileOf(Folder)).Select(Path.GetFileName)
            .Where(name => StrictText.TryInteger(name!, out _)).Select(name => long.Parse(name!, CultureInfo.InvariantCulture));

    private static string PathOf(long size) => string.Create(CultureInfo.InvariantCulture, $"{Folder}/{size}");
}
