using System.Numerics;
using Lumora.Chain.Tiles;
using Lumora.Domain.Kernel;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Merkle;

/// <summary>
/// Makes the proofs of one tree size from its tiles (RFC 6962 §2.1.1 and §2.1.2, by their recursive definitions). Keeps the
/// tiles that it read; use one reader for a request, and one cache for the readers of a log. Checks of proofs live apart, in
/// Lumora.Chain.Verification.
/// </summary>
public sealed class TreeReader(ITileReader tiles, long size, TreeCache? cache = null)
{
    private const int LevelBits = 8;
    private readonly Dictionary<TileId, TileNodes> _read = [];

    /// <summary>Leaves of the tree.</summary>
    public long Size { get; } = size;

    /// <summary>The root.</summary>
    public async ValueTask<MerkleHash> RootAsync(CancellationToken cancellationToken) =>
        Size == 0 ? MerkleHash.EmptyRoot : await HashOfAsync(0, Size, cancellationToken);

    /// <summary>PATH(index, D[size]): the siblings from the leaf up to the root.</summary>
    public async Task<IReadOnlyList<MerkleHash>> InclusionAsync(long index, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Size);
        var path = new List<MerkleHash>();
        var (begin, end) = (0L, Size);
        // The recursion appends behind its inner part, so that going down collects the path from the top.
        while (end - begin > 1)
        {
            var middle = begin + SplitOf(end - begin);
            if (index < middle)
            {
                path.Add(await HashOfAsync(middle, end, cancellationToken));
                end = middle;
            }
            else
            {
                path.Add(await HashOfAsync(begin, middle, cancellationToken));
                begin = middle;
            }
        }

        path.Reverse();
        return path;
    }

    /// <summary>PROOF(old, D[size]): what shows that the tree of <paramref name="oldSize"/> leaves is a prefix of this one.</summary>
    public async Task<IReadOnlyList<MerkleHash>> ConsistencyAsync(long oldSize, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(oldSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, Size);
        var proof = new List<MerkleHash>();
        var (begin, end) = (0L, Size);
        // SUBPROOF(m, D[begin:end], b): b says that D[0:m] is a subtree whose hash the verifier knows already.
        var known = true;
        while (oldSize != end)
        {
            var middle = begin + SplitOf(end - begin);
            if (oldSize <= middle)
            {
                proof.Add(await HashOfAsync(middle, end, cancellationToken));
                end = middle;
            }
            else
            {
                proof.Add(await HashOfAsync(begin, middle, cancellationToken));
                begin = middle;
                known = false;
            }
        }

        if (!known)
            proof.Add(await HashOfAsync(begin, end, cancellationToken));
        proof.Reverse();
        return proof;
    }

    /// <summary>The largest power of two below <paramref name="count"/>.</summary>
    private static long SplitOf(long count) => 1L << BitOperations.Log2((ulong)count - 1);

    /// <summary>MTH(D[begin:end]) of a range that the recursions reach: its perfect subtrees are aligned.</summary>
    private async ValueTask<MerkleHash> HashOfAsync(long begin, long end, CancellationToken cancellationToken)
    {
        var count = end - begin;
        if (BitOperations.IsPow2(count))
            return await PerfectAsync(begin, BitOperations.Log2((ulong)count), cancellationToken);
        if (end == Size && cache?.FindEdge(Size, begin) is { } known)
            return known;
        var middle = begin + SplitOf(count);
        var left = await HashOfAsync(begin, middle, cancellationToken);
        var right = await HashOfAsync(middle, end, cancellationToken);
        var hash = MerkleHash.OfChildren(left, right);
        if (end == Size)
            cache?.KeepEdge(Size, begin, hash);
        return hash;
    }

    /// <summary>The root of the perfect subtree of 2^height leaves at <paramref name="begin"/>.</summary>
    private async ValueTask<MerkleHash> PerfectAsync(long begin, int height, CancellationToken cancellationToken)
    {
        Check.That((begin & ((1L << height) - 1)) == 0);
        var level = height / LevelBits;
        var width = 1 << (height % LevelBits);
        var first = TileId.CountAt(level, begin);
        var tile = TileId.At(level, first / TileId.WidthMax, Size)!.Value;
        var nodes = await NodesAsync(tile, cancellationToken);
        return nodes.Root((int)(first % TileId.WidthMax), width);
    }

    private async ValueTask<TileNodes> NodesAsync(TileId tile, CancellationToken cancellationToken)
    {
        if (_read.TryGetValue(tile, out var nodes))
            return nodes;
        if (cache?.Find(Size, tile) is { } kept)
            return _read[tile] = kept;
        var bytes = await tiles.ReadOrFullAsync(tile, cancellationToken);
        nodes = _read[tile] = new TileNodes(bytes, tile.Width) { IsKept = cache?.Keeps(Size, tile) == true };
        if (nodes.IsKept)
            cache!.Keep(Size, tile, nodes);
        return nodes;
    }
}
