using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Merkle;

/// <summary>
/// The hashes of one tile and what lies between them and its root: inner nodes are computed once, with the first question for
/// one of them.
/// </summary>
internal sealed class TileNodes(MerkleHash[] hashes)
{
    // As a heap: node 1 is the root, 2i and 2i + 1 are below node i, and the hashes themselves begin at node 256. What a partial tile
    // has not stays empty. Two threads that compute it at once compute the same.
    private MerkleHash[]? _heap;

    /// <summary>The root over <paramref name="width"/> hashes from <paramref name="first"/> on: a power of two, aligned to it.</summary>
    public MerkleHash Root(int first, int width) => width == 1 ? hashes[first] : (_heap ??= Heap())[(TileId.WidthMax + first) / width];

    private MerkleHash[] Heap()
    {
        var heap = new MerkleHash[2 * TileId.WidthMax];
        hashes.CopyTo(heap, TileId.WidthMax);
        for (var (level, present) = (TileId.WidthMax / 2, hashes.Length / 2); present > 0; (level, present) = (level / 2, present / 2))
        {
            for (var node = level; node < level + present; node++)
                heap[node] = MerkleHash.OfChildren(heap[2 * node], heap[(2 * node) + 1]);
        }

        return heap;
    }
}
