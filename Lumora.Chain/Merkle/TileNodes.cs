using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Merkle;

/// <summary>
/// The hashes of one tile and what lies between them and its root: of a tile that is kept, inner nodes are computed once, with the
/// first question for one of them. One path asks for each of them once.
/// </summary>
internal sealed class TileNodes
{
    private readonly byte[] _tile;
    private readonly int _count;

    // As a heap: node 1 is the root, 2i and 2i + 1 are below node i, and the hashes themselves begin at node 256. What a partial tile
    // has not stays empty. Two threads that compute it at once compute the same.
    private MerkleHash[]? _heap;

    /// <summary>Takes the bytes of a tile of <paramref name="count"/> hashes.</summary>
    /// <exception cref="FormatException">The tile has another length.</exception>
    public TileNodes(byte[] tile, int count)
    {
        HashTile.CheckLength(tile, count);
        (_tile, _count) = (tile, count);
    }

    /// <summary>True when it is kept for many paths.</summary>
    public bool IsKept { get; init; }

    private ReadOnlySpan<MerkleHash> Hashes => HashTile.View(_tile, _count);

    /// <summary>The root over <paramref name="width"/> hashes from <paramref name="first"/> on: a power of two, aligned to it.</summary>
    public MerkleHash Root(int first, int width) =>
        width > 1 && IsKept ? (_heap ??= Heap())[(TileId.WidthMax + first) / width] : HashTile.Root(Hashes.Slice(first, width));

    private MerkleHash[] Heap()
    {
        var heap = new MerkleHash[2 * TileId.WidthMax];
        Hashes.CopyTo(heap.AsSpan(TileId.WidthMax));
        for (var (level, present) = (TileId.WidthMax / 2, _count / 2); present > 0; (level, present) = (level / 2, present / 2))
            MerkleHash.OfPairs(heap.AsSpan(2 * level, 2 * present), heap.AsSpan(level, present));
        return heap;
    }
}
