using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lumora.Domain.Datasets;

/// <summary>
/// A dataset's version: <c>major.minor.patch</c> of Semantic Versioning 2.0.0, without pre-release and build parts.
/// Major: a column went or changed its type; minor: columns or a new crawl were added; patch: the same data repaired.
/// </summary>
/// <param name="Major">0 to 999,999.</param>
/// <param name="Minor">0 to 999,999.</param>
/// <param name="Patch">0 to 999,999.</param>
[JsonConverter(typeof(SemVerJsonConverter))]
[StructLayout(LayoutKind.Auto)]
public readonly record struct SemVer(int Major, int Minor, int Patch) : IComparable<SemVer>
{
    private const int PartMax = 999_999;

    /// <summary>The version that a dataset starts with.</summary>
    public static SemVer First => new(1, 0, 0);

    /// <summary>True when <paramref name="a"/> is the older one.</summary>
    public static bool operator <(SemVer a, SemVer b) => a.CompareTo(b) < 0;

    /// <summary>True when <paramref name="a"/> is the newer one.</summary>
    public static bool operator >(SemVer a, SemVer b) => a.CompareTo(b) > 0;

    /// <summary>True when <paramref name="a"/> is not newer.</summary>
    public static bool operator <=(SemVer a, SemVer b) => a.CompareTo(b) <= 0;

    /// <summary>True when <paramref name="a"/> is not older.</summary>
    public static bool operator >=(SemVer a, SemVer b) => a.CompareTo(b) >= 0;

    /// <summary>The version after this one with the same meaning of its columns and new data.</summary>
    public SemVer NextMinor() => new(Major, Minor + 1, 0);

    /// <inheritdoc/>
    public int CompareTo(SemVer other) => (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));

    /// <summary>The wire form, for example <c>1.4.0</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}.{Patch}");

    /// <summary>Reads the wire form: three decimal numbers without signs, spaces or leading zeros.</summary>
    public static bool TryParse(string? text, out SemVer version)
    {
        version = default;
        if (text is null || text.Split('.') is not [var major, var minor, var patch])
            return false;
        if (!TryPart(major, out var a) || !TryPart(minor, out var b) || !TryPart(patch, out var c))
            return false;
        version = new SemVer(a, b, c);
        return version.ToString() == text;
    }

    private static bool TryPart(string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= PartMax;
}

internal sealed class SemVerJsonConverter : JsonConverter<SemVer>
{
    public override SemVer Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && SemVer.TryParse(reader.GetString(), out var version)
            ? version
            : throw new JsonException("A version is text of the form 1.2.3.");

    public override void Write(Utf8JsonWriter writer, SemVer value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
