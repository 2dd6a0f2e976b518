using System.Numerics;
using System.Runtime.InteropServices;
using Lumora.Domain.Kernel;
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

    /// <summary>The hashes of a tile of exactly that width, as they lie in it.</summary>
    /// <exception cref="FormatException">The tile has another length.</exception>
    public static ReadOnlySpan<MerkleHash> View(ReadOnlySpan<byte> tile, int width)
    {
        CheckLength(tile, width);
        return MemoryMarshal.Cast<byte, MerkleHash>(tile);
    }

    /// <summary>The hashes of a tile of exactly that width.</summary>
    /// <exception cref="FormatException">The tile has another length.</exception>
    public static MerkleHash[] Decode(ReadOnlySpan<byte> tile, int width) => View(tile, width).ToArray();

    /// <summary>The partial tile of <paramref name="width"/> hashes that the full one begins with.</summary>
    /// <exception cref="FormatException">The full tile has another length.</exception>
    public static byte[] Cut(ReadOnlySpan<byte> full, int width)
    {
        CheckLength(full, TileId.WidthMax);
        return full[..(width * MerkleHash.Size)].ToArray();
    }

    /// <summary>The root over a power of two of hashes, up to <see cref="TileId.WidthMax"/>.</summary>
    public static MerkleHash Root(ReadOnlySpan<MerkleHash> hashes)
    {
        Check.That(hashes.Length <= TileId.WidthMax && BitOperations.IsPow2(hashes.Length));
        if (hashes.Length == 1)
            return hashes[0];
        Span<MerkleHash> nodes = stackalloc MerkleHash[TileId.WidthMax / 2];
        MerkleHash.OfPairs(hashes, nodes);
        for (var width = hashes.Length / 2; width > 1; width /= 2)
            MerkleHash.OfPairs(nodes[..width], nodes);
        return nodes[0];
    }

    /// <summary>Refuses a tile that does not have <paramref name="width"/> hashes.</summary>
    /// <exception cref="FormatException">The tile has another length.</exception>
    internal static void CheckLength(ReadOnlySpan<byte> tile, int width)
    {
        if (tile.Length != width * MerkleHash.Size)
            throw new FormatException($"A tile of {width} hashes has {width * MerkleHash.Size} bytes, not {tile.Length}.");
    }
}
