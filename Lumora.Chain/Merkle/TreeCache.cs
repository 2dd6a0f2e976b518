using System.Collections.Concurrent;
using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Merkle;

/// <summary>
/// What the readers of one growing tree share: the full tiles above the leaves' own, which most paths lead through, and the
/// nodes at the right edge of its newest size. Safe for threads; its memory is bounded, 16 KiB for each of
/// <see cref="TilesMax"/> tiles.
/// </summary>
public sealed class TreeCache
{
    /// <summary>Tiles that are kept: those of level 1 and above of a log of 67 million leaves.</summary>
    public const int TilesMax = 1_024;

    private readonly ConcurrentDictionary<TileId, TileNodes> _tiles = new();
    private volatile Edge _edge = new(0);

    /// <summary>The nodes of <paramref name="tile"/>, or null when they are not kept.</summary>
    internal TileNodes? Find(TileId tile) => _tiles.GetValueOrDefault(tile);

    /// <summary>Keeps the nodes of <paramref name="tile"/> where they are worth it: a full tile above level 0.</summary>
    internal void Keep(TileId tile, TileNodes nodes)
    {
        if (!tile.IsFull || tile.Level < 1)
            return;
        // A larger log than this is rarely asked everywhere at once, and what is asked comes back with one file each.
        if (_tiles.Count >= TilesMax)
            _tiles.Clear();
        _tiles[tile] = nodes;
    }

    /// <summary>The hash over the leaves from <paramref name="begin"/> to the end of a tree of <paramref name="size"/>, if it is kept.</summary>
    internal MerkleHash? FindEdge(long size, long begin) =>
        _edge is { } edge && edge.Size == size && edge.Nodes.TryGetValue(begin, out var hash) ? hash : null;

    /// <summary>Keeps such a hash, of one size at a time.</summary>
    internal void KeepEdge(long size, long begin, MerkleHash hash)
    {
        var edge = _edge;
        if (edge.Size < size)
            _edge = edge = new Edge(size);
        if (edge.Size == size)
            edge.Nodes[begin] = hash;
    }

    // At most 63 nodes: those that the path to the last leaf passes.
    private sealed class Edge(long size)
    {
        public long Size { get; } = size;

        public ConcurrentDictionary<long, MerkleHash> Nodes { get; } = new();
    }
}
