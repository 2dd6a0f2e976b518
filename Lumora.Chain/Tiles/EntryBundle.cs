using System.Buffers.Binary;

namespace Lumora.Chain.Tiles;

/// <summary>Entries under one level-0 tile: each a 16-bit big-endian length and its bytes (C2SP tlog-tiles).</summary>
public static class EntryBundle
{
    private const int LengthBytes = 2;

    /// <summary>The bundle of <paramref name="entries"/>, 1 to 256 of at most 65,535 bytes each.</summary>
    public static byte[] Encode(IReadOnlyList<byte[]> entries)
    {
        if (entries.Count is < 1 or > TileId.WidthMax)
            throw new ArgumentException($"A bundle holds 1 to {TileId.WidthMax} entries, not {entries.Count}.", nameof(entries));
        var bundle = new byte[entries.Sum(entry => LengthBytes + entry.Length)];
        var offset = 0;
        foreach (var entry in entries)
        {
            if (entry.Length > ushort.MaxValue)
                throw new ArgumentException($"An entry has at most {ushort.MaxValue} bytes, not {entry.Length}.", nameof(entries));
            BinaryPrimitives.WriteUInt16BigEndian(bundle.AsSpan(offset), (ushort)entry.Length);
            entry.CopyTo(bundle, offset + LengthBytes);
            offset += LengthBytes + entry.Length;
        }

        return bundle;
    }

    /// <summary>The entries of <paramref name="bundle"/>, exactly <paramref name="width"/> of them (1 to 256).</summary>
    /// <exception cref="FormatException">Too few entries, an entry cut off, or bytes behind the last one.</exception>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Decode(ReadOnlyMemory<byte> bundle, int width)
    {
        var entries = new List<ReadOnlyMemory<byte>>(width);
        var rest = bundle;
        while (rest.Length > 0)
        {
            if (entries.Count == width)
                throw new FormatException($"{rest.Length} bytes follow the {width} entries of the bundle.");
            if (rest.Length < LengthBytes)
                throw new FormatException($"Entry {entries.Count} of the bundle has no length: it is cut off.");
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest.Span);
            rest = rest[LengthBytes..];
            if (rest.Length < length)
                throw new FormatException($"Entry {entries.Count} of the bundle says {length} bytes, {rest.Length} are left.");
            entries.Add(rest[..length]);
            rest = rest[length..];
        }

        return entries.Count == width
            ? entries
            : throw new FormatException($"The bundle holds {entries.Count} entries, not {width}.");
    }

    /// <summary>The partial bundle of <paramref name="width"/> entries that the full one begins with.</summary>
    /// <exception cref="FormatException">The full bundle does not hold 256 entries.</exception>
    public static byte[] Cut(ReadOnlyMemory<byte> full, int width) =>
        full[..Decode(full, TileId.WidthMax).Take(width).Sum(entry => LengthBytes + entry.Length)].ToArray();
}
