using System.Runtime.InteropServices;
using Lumora.Domain.Kernel;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tiles;

/// <summary>
/// The right edge of a tiled tree: of each level the hashes that do not fill a tile yet. Leaves go in one by one, tiles
/// and bundles come out when they are full, partial ones on request. Not safe for two threads at once.
/// </summary>
public sealed class TileBuilder
{
    private readonly List<List<MerkleHash>> _edge;
    private readonly List<byte[]> _entries;

    /// <summary>Starts with the empty tree.</summary>
    public TileBuilder()
        : this(0, [], [])
    {
    }

    private TileBuilder(long size, List<List<MerkleHash>> edge, List<byte[]> entries) =>
        (Size, _edge, _entries) = (size, edge, entries);

    /// <summary>Leaves so far.</summary>
    public long Size { get; private set; }

    /// <summary>Takes up a tree of <paramref name="size"/> leaves from its partial tiles and its partial bundle.</summary>
    /// <param name="size">Leaves.</param>
    /// <param name="partials">The hashes of the partial tile of each level, from level 0; empty where there is none.</param>
    /// <param name="bundle">The entries of the partial bundle.</param>
    public static TileBuilder Resume(long size, IEnumerable<IReadOnlyList<MerkleHash>> partials, IReadOnlyList<byte[]> bundle)
    {
        var levels = partials.Select(hashes => hashes.ToList()).ToList();
        for (var level = 0; level < levels.Count; level++)
            Check.That(levels[level].Count == TileId.CountAt(level, size) % TileId.WidthMax);
        Check.That(TileId.CountAt(levels.Count, size) == 0);
        Check.That(bundle.Count == size % TileId.WidthMax);
        return new TileBuilder(size, levels, [.. bundle]);
    }

    /// <summary>Appends a leaf; <paramref name="full"/> takes each tile and bundle that it completes.</summary>
    public void Append(byte[] entry, MerkleHash leaf, Action<TileId, byte[]> full)
    {
        _entries.Add(entry);
        if (_entries.Count == TileId.WidthMax)
        {
            full(new TileId(TileId.Entries, Size / TileId.WidthMax, TileId.WidthMax), EntryBundle.Encode(_entries));
            _entries.Clear();
        }

        var index = Size;
        Size++;
        var node = leaf;
        // "A partial tile never feeds a higher level": a hash goes up only from a full tile.
        for (var level = 0; ; level++)
        {
            if (_edge.Count == level)
                _edge.Add([]);
            var tile = _edge[level];
            tile.Add(node);
            if (tile.Count < TileId.WidthMax)
                return;
            index /= TileId.WidthMax;
            full(new TileId(level, index, TileId.WidthMax), HashTile.Encode(tile));
            node = HashTile.Root(CollectionsMarshal.AsSpan(tile));
            tile.Clear();
        }
    }

    /// <summary>The partial bundle and tiles at the current size.</summary>
    public IEnumerable<(TileId Tile, byte[] Bytes)> Partials()
    {
        if (_entries.Count > 0)
            yield return (new TileId(TileId.Entries, Size / TileId.WidthMax, _entries.Count), EntryBundle.Encode(_entries));
        for (var level = 0; level < _edge.Count; level++)
            if (_edge[level].Count > 0)
                yield return (
                    new TileId(level, TileId.CountAt(level, Size) / TileId.WidthMax, _edge[level].Count),
                    HashTile.Encode(_edge[level]));
    }

    /// <summary>The root at the current size, from the edge alone.</summary>
    public MerkleHash Root()
    {
        if (Size == 0)
            return MerkleHash.EmptyRoot;
        MerkleHash? root = null;
        foreach (var tile in _edge)
        {
            // Right to left: the binary digits of the width are perfect subtrees, smallest at the right.
            var end = tile.Count;
            while (end > 0)
            {
                var width = end & -end;
                var node = HashTile.Root(CollectionsMarshal.AsSpan(tile).Slice(end - width, width));
                root = root is { } right ? MerkleHash.OfChildren(node, right) : node;
                end -= width;
            }
        }

        return root!.Value;
    }
}
