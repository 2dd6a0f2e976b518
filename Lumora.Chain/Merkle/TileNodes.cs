using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Merkle;

/// <summary>
/// The hashes of one tile and what lies between them and its root: of a tile that is kept, inner nodes are computed once, with the
/// first question for one of them. One path asks for each of them once.
/// </summary>
internal sealed class TileNodes(MerkleHash[] hashes)
{
    // As a heap: node 1 is the root, 2i and 2i + 1 are below node i, and the hashes themselves begin at node 256. What a partial tile
    // has not stays empty. Two threads that compute it at once compute the same.
    private MerkleHash[]? _heap;

    /// <summary>True when it is kept for many paths.</summary>
    public bool IsKept { get; init; }

    /// <summary>The root over <paramref name="width"/> hashes from <paramref name="first"/> on: a power of two, aligned to it.</summary>
    public MerkleHash Root(int first, int width)
    {
        if (width == 1)
            return hashes[first];
        return IsKept
            ? (_heap ??= Heap())[(TileId.WidthMax + first) / width]
            : MerkleHash.OfChildren(Root(first, width / 2), Root(first + (width / 2), width / 2));
    }

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
