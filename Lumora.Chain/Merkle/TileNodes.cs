using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Merkle;

/// <summary>
/// The hashes of one tile and what lies between them and its root. Inner nodes of a full tile are computed once, with the first
/// question for one of them; a partial tile has none that stay, and is small.
/// </summary>
internal sealed class TileNodes(MerkleHash[] hashes)
{
    // As a heap: node 1 is the root, 2i and 2i + 1 are below node i, and the hashes themselves begin at their number. Two
    // threads that compute it at once compute the same.
    private MerkleHash[]? _heap;

    /// <summary>The root over <paramref name="width"/> hashes from <paramref name="first"/> on: a power of two, aligned to it.</summary>
    public MerkleHash Root(int first, int width)
    {
        if (width == 1)
            return hashes[first];
        if (hashes.Length < TileId.WidthMax)
            return HashTile.Root(hashes.AsSpan(first, width));
        return (_heap ??= Heap())[(TileId.WidthMax + first) / width];
    }

    private MerkleHash[] Heap()
    {
        var heap = new MerkleHash[2 * TileId.WidthMax];
        hashes.CopyTo(heap, TileId.WidthMax);
        for (var node = TileId.WidthMax - 1; node > 0; node--)
            heap[node] = MerkleHash.OfChildren(heap[2 * node], heap[(2 * node) + 1]);
        return heap;
    }
}
