using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tiles;

/// <summary>Up to 256 hashes of one level, one behind the other (C2SP tlog-tiles). Inner levels are never stored.</summary>
public static class HashTile
{
    /// <summary>The bytes of a tile.</summary>
    public static byte[] Encode(IReadOnlyList<MerkleHash> hashes)
    {
        var tile = new byte[hashes.Count * MerkleHash.Size];
        for (var i = 0; i < hashes.Count; i++)
            hashes[i].CopyTo(tile.AsSpan(i * MerkleHash.Size));
        return tile;
    }

    /// <summary>The hashes of a tile of exactly that width.</summary>
    /// <exception cref="FormatException">The tile has another length.</exception>
    public static MerkleHash[] Decode(ReadOnlySpan<byte> tile, int width)
    {
        CheckLength(tile, width);
        var hashes = new MerkleHash[width];
        for (var i = 0; i < width; i++)
            hashes[i] = new MerkleHash(tile.Slice(i * MerkleHash.Size, MerkleHash.Size));
        return hashes;
    }

    /// <summary>The partial tile of <paramref name="width"/> hashes that the full one begins with.</summary>
    /// <exception cref="FormatException">The full tile has another length.</exception>
    public static byte[] Cut(ReadOnlySpan<byte> full, int width)
    {
        CheckLength(full, TileId.WidthMax);
        return full[..(width * MerkleHash.Size)].ToArray();
    }

    /// <summary>The root over a power of two of hashes.</summary>
    public static MerkleHash Root(ReadOnlySpan<MerkleHash> hashes)
    {
        if (hashes.Length == 1)
            return hashes[0];
        var half = hashes.Length / 2;
        return MerkleHash.OfChildren(Root(hashes[..half]), Root(hashes[half..]));
    }

    private static void CheckLength(ReadOnlySpan<byte> tile, int width)
    {
        if (tile.Length != width * MerkleHash.Size)
            throw new FormatException($"A tile of {width} hashes has {width * MerkleHash.Size} bytes, not {tile.Length}.");
    }
}
