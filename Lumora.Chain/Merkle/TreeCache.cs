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

    /// <summary>The nodes of a tile of the tree of <paramref name="size"/> leaves, or null when they are not kept.</summary>
    internal TileNodes? Find(long size, TileId tile) =>
        (tile.IsFull ? _tiles : EdgeOf(size)?.Tiles)?.GetValueOrDefault(tile);

    /// <summary>Whether the nodes of a tile are worth it: of every one but the full ones of leaves, which are too many.</summary>
    internal bool Keeps(long size, TileId tile) => tile.IsFull ? tile.Level >= 1 : EdgeOf(size) is not null;

    /// <summary>Keeps the nodes of such a tile.</summary>
    internal void Keep(long size, TileId tile, TileNodes nodes)
    {
        if (!tile.IsFull)
        {
            if (EdgeOf(size) is { } edge)
                edge.Tiles[tile] = nodes;
            return;
        }

        // A larger log than this is rarely asked everywhere at once, and what is asked comes back with one file each.
        if (_tiles.Count >= TilesMax)
            _tiles.Clear();
        _tiles[tile] = nodes;
    }

    /// <summary>The hash over the leaves from <paramref name="begin"/> to the end of a tree of <paramref name="size"/>, if it is kept.</summary>
    internal MerkleHash? FindEdge(long size, long begin) =>
        EdgeOf(size) is { } edge && edge.Nodes.TryGetValue(begin, out var hash) ? hash : null;

    /// <summary>Keeps such a hash.</summary>
    internal void KeepEdge(long size, long begin, MerkleHash hash)
    {
        if (EdgeOf(size) is { } edge)
            edge.Nodes[begin] = hash;
    }

    // Of the newest size alone; null for older ones.
    private Edge? EdgeOf(long size)
    {
        var edge = _edge;
        if (edge.Size < size)
            _edge = edge = new Edge(size);
        return edge.Size == size ? edge : null;
    }

    // At most 63 nodes, those that the path to the last leaf passes, and a partial tile of each level.
    private sealed class Edge(long size)
    {
        public long Size { get; } = size;

        public ConcurrentDictionary<long, MerkleHash> Nodes { get; } = new();

        public ConcurrentDictionary<TileId, TileNodes> Tiles { get; } = new();
    }
}
