using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Lumora.Domain.Kernel;

namespace Lumora.Chain.Tiles;

/// <summary>
/// Names one tile of a log after C2SP tlog-tiles: up to 256 hashes of one level, or the entries under a level-0 tile.
/// </summary>
/// <param name="Level">0 to 7 for hashes (a level-l hash covers 256^l leaves), <see cref="Entries"/> for a bundle.</param>
/// <param name="Index">Which tile of its level, from 0.</param>
/// <param name="Width">Hashes or entries in it: 256 when full, 1 to 255 when partial.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct TileId(int Level, long Index, int Width)
{
    /// <summary>The level of entry bundles, which have the index and the width of the level-0 tile above them.</summary>
    public const int Entries = -1;

    /// <summary>Hashes in a full tile.</summary>
    public const int WidthMax = 256;

    /// <summary>Levels that a tree of 2⁶³ leaves can fill.</summary>
    public const int LevelMax = 7;

    private const int LevelBits = 8;
    private const int GroupSize = 1000;

    /// <summary>True for 256 hashes: such a tile never changes.</summary>
    public bool IsFull => Width == WidthMax;

    /// <summary>The full tile at the same place.</summary>
    public TileId Full => this with { Width = WidthMax };

    /// <summary>Leaves in front of this tile's first one.</summary>
    /// <exception cref="OverflowException">No tree of 2⁶³ leaves has this tile.</exception>
    public long FirstLeaf
    {
        get
        {
            // A shift is never checked: it drops bits, and one by 64 (level 7) is none at all.
            var first = Index;
            for (var level = Math.Max(Level, 0); level >= 0; level--)
                first = checked(first * WidthMax);
            return first;
        }
    }

    /// <summary>
    /// The path under the log's prefix: <c>tile/0/x001/x234/067</c>, <c>tile/entries/000.p/112</c>. (tlog-tiles: "encoded
    /// into 3-digit path elements. All but the last path element MUST begin with an x".)
    /// </summary>
    public string Path
    {
        get
        {
            Check.That(Level is >= Entries and <= LevelMax && Index >= 0 && Width is >= 1 and <= WidthMax);
            var path = new StringBuilder("tile/");
            path.Append(Level == Entries ? "entries" : Level.ToString(CultureInfo.InvariantCulture)).Append('/');
            AppendIndex(path, Index, last: true);
            if (!IsFull)
                path.Append(CultureInfo.InvariantCulture, $".p/{Width}");
            return path.ToString();
        }
    }

    /// <summary>Where the partial tiles of this place are: <c>tile/entries/000.p</c>.</summary>
    public string PartialsFolder => $"{Full.Path}.p";

    /// <summary>Hashes of <paramref name="level"/> in a tree of <paramref name="size"/> leaves.</summary>
    public static long CountAt(int level, long size) =>
        level > LevelMax ? 0 : size >> (LevelBits * Math.Max(level, 0));

    /// <summary>The tile at this place in a tree of <paramref name="size"/> leaves, or null when there is none.</summary>
    public static TileId? At(int level, long index, long size)
    {
        var width = Math.Min(CountAt(level, size) - (index * WidthMax), WidthMax);
        return width < 1 ? null : new TileId(level, index, (int)width);
    }

    /// <summary>
    /// Every tile and bundle of a tree of <paramref name="size"/> leaves that the tree of <paramref name="from"/> leaves
    /// does not have in that width; bundles first, then level by level.
    /// </summary>
    public static IEnumerable<TileId> Between(long from, long size)
    {
        for (var level = Entries; level <= LevelMax; level++)
        {
            var count = CountAt(level, size);
            if (count == CountAt(level, from))
                continue;
            for (var index = CountAt(level, from) / WidthMax; At(level, index, size) is { } tile; index++)
                yield return tile;
        }
    }

    /// <summary>Reads a path as <see cref="Path"/> writes it; any other spelling is refused.</summary>
    public static bool TryParse(string path, out TileId tile)
    {
        tile = default;
        const string prefix = "tile/";
        if (!path.StartsWith(prefix, StringComparison.Ordinal))
            return false;
        var parts = path[prefix.Length..].Split('/');
        if (parts.Length is < 2 or > 9 || !TryParseLevel(parts[0], out var level))
            return false;
        var width = WidthMax;
        var indexParts = parts.AsSpan(1);
        if (indexParts.Length >= 2 && indexParts[^2].EndsWith(".p", StringComparison.Ordinal))
        {
            if (!int.TryParse(indexParts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out width))
                return false;
            indexParts = indexParts[..^1];
            indexParts[^1] = indexParts[^1][..^2];
        }

        if (width is < 1 or > WidthMax || !TryParseIndex(indexParts, out var index))
            return false;
        tile = new TileId(level, index, width);
        // One tile has one path: x000/001, .p/256 and leading zeros do not come out the same.
        return string.Equals(tile.Path, path, StringComparison.Ordinal);
    }

    private static bool TryParseLevel(string text, out int level)
    {
        level = Entries;
        return text == "entries"
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out level) && level <= LevelMax);
    }

    private static bool TryParseIndex(ReadOnlySpan<string> parts, out long index)
    {
        index = 0;
        // 10¹⁸ is the largest power of a thousand below 2⁶³.
        if (parts.Length is < 1 or > 6)
            return false;
        for (var i = 0; i < parts.Length; i++)
        {
            var digits = parts[i].AsSpan();
            if (i < parts.Length - 1)
            {
                if (digits is not ['x', ..])
                    return false;
                digits = digits[1..];
            }

            if (digits.Length != 3 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var group))
                return false;
            index = (index * GroupSize) + group;
        }

        return true;
    }

    private static void AppendIndex(StringBuilder path, long index, bool last)
    {
        if (index >= GroupSize)
            AppendIndex(path, index / GroupSize, last: false);
        var group = (index % GroupSize).ToString("D3", CultureInfo.InvariantCulture);
        path.Append(last ? group : $"x{group}/");
    }
}
