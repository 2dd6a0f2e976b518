using System.Numerics;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Verification;

/// <summary>
/// The right edge of a tree that was checked: enough to go on from, where the check of its first leaves ended. Both parts say
/// the root, each by a way of its own.
/// </summary>
/// <param name="Size">Leaves that were checked.</param>
/// <param name="Levels">The hashes of the partial tile of each level, from level 0; empty where there is none.</param>
/// <param name="Peaks">The roots of the perfect subtrees, largest first (RFC 9162 §2.1.2).</param>
public sealed record TreeEdge(
    long Size, IReadOnlyList<IReadOnlyList<MerkleHash>> Levels, IReadOnlyList<MerkleHash> Peaks)
{
    /// <summary>The edge of the tree without leaves.</summary>
    public static TreeEdge Empty { get; } = new(0, [], []);

    /// <summary>The edge that a log's tiles give for <paramref name="checkpoint"/>; nothing before it is looked at.</summary>
    /// <exception cref="TileMissingException">A tile is missing.</exception>
    /// <exception cref="FormatException">A tile has another length.</exception>
    /// <exception cref="VerificationException">The tiles are of another tree.</exception>
    public static async Task<TreeEdge> ReadAsync(
        ITileReader tiles, Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        var levels = new List<IReadOnlyList<MerkleHash>>();
        for (var level = 0; TileId.CountAt(level, checkpoint.Size) is > 0 and var count; level++)
        {
            var width = (int)(count % TileId.WidthMax);
            levels.Add(width == 0
                ? []
                : HashTile.Decode(
                    await tiles.ReadOrFullAsync(new TileId(level, count / TileId.WidthMax, width), cancellationToken), width));
        }

        var edge = new TreeEdge(checkpoint.Size, levels, PeaksOf(levels));
        edge.MustHave(checkpoint.Root);
        return edge;
    }

    /// <summary>Checks that both parts have the form that <see cref="Size"/> asks for and lead to <paramref name="root"/>.</summary>
    /// <exception cref="VerificationException">They do not.</exception>
    public void MustHave(MerkleHash root)
    {
        MustHold();
        if (RootOf(Peaks) != root)
            throw new VerificationException($"The edge of {Size} leaves leads to the root {RootOf(Peaks)}, not to {root}.");
    }

    /// <summary>Checks that both parts have the form that <see cref="Size"/> asks for and lead to one root.</summary>
    /// <exception cref="VerificationException">They do not.</exception>
    public void MustHold()
    {
        var whole = Size >= 0 && TileId.CountAt(Levels.Count, Size) == 0 && Peaks.Count == BitOperations.PopCount((ulong)Size);
        for (var level = 0; whole && level < Levels.Count; level++)
            whole = Levels[level].Count == TileId.CountAt(level, Size) % TileId.WidthMax;
        if (!whole)
            throw new VerificationException($"This is no edge of a tree of {Size} leaves.");
        if (RootOf(PeaksOf(Levels)) is var other && other != RootOf(Peaks))
            throw new VerificationException($"The edge of {Size} leaves leads to the roots {RootOf(Peaks)} and {other}.");
    }

    /// <summary>The perfect subtrees over an edge of tiles: the binary digits of each width, from the highest level down.</summary>
    private static List<MerkleHash> PeaksOf(IReadOnlyList<IReadOnlyList<MerkleHash>> levels)
    {
        var peaks = new List<MerkleHash>();
        foreach (var tile in levels.Reverse())
        {
            var hashes = tile.ToArray();
            var begin = 0;
            while (begin < hashes.Length)
            {
                var width = 1 << BitOperations.Log2((uint)(hashes.Length - begin));
                peaks.Add(HashTile.Root(hashes.AsSpan(begin, width)));
                begin += width;
            }
        }

        return peaks;
    }

    private static MerkleHash RootOf(IReadOnlyList<MerkleHash> peaks) => peaks.Count == 0
        ? MerkleHash.EmptyRoot
        : peaks.Reverse().Aggregate((right, left) => MerkleHash.OfChildren(left, right));
}
