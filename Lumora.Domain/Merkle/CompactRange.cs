using System.Numerics;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Merkle;

/// <summary>
/// All that an appender keeps of a Merkle tree: the roots of its perfect subtrees, largest first, at most 63
/// (RFC 9162 §2.1.2, the streaming form of RFC 6962's hash). Not safe for two threads at once.
/// </summary>
public sealed class CompactRange
{
    private readonly List<MerkleHash> peaks;

    /// <summary>The range of the empty tree.</summary>
    public CompactRange() => peaks = [];

    private CompactRange(long size, IEnumerable<MerkleHash> peaks) => (Size, this.peaks) = (size, [.. peaks]);

    /// <summary>Leaves so far.</summary>
    public long Size { get; private set; }

    /// <summary>The roots of the perfect subtrees, largest (leftmost) first: one for each 1-bit of <see cref="Size"/>.</summary>
    public IReadOnlyList<MerkleHash> Peaks => peaks;

    /// <summary>Takes up a range that was stored.</summary>
    /// <exception cref="ArgumentException">The number of peaks does not fit the size.</exception>
    public static CompactRange FromPeaks(long size, IReadOnlyCollection<MerkleHash> peaks)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        var expected = BitOperations.PopCount((ulong)size);
        if (peaks.Count != expected)
            throw new ArgumentException($"A tree of {size} leaves has {expected} peaks, not {peaks.Count}.", nameof(peaks));
        return new CompactRange(size, peaks);
    }

    /// <summary>The RFC 6962 root over <paramref name="entries"/> in their order.</summary>
    public static MerkleHash RootOf(IEnumerable<ReadOnlyMemory<byte>> entries)
    {
        var range = new CompactRange();
        foreach (var entry in entries)
            range.Append(MerkleHash.OfLeaf(entry.Span));
        return range.Root();
    }

    /// <summary>Appends one leaf by its hash (<see cref="MerkleHash.OfLeaf"/>).</summary>
    public void Append(MerkleHash leaf)
    {
        // One merge for each trailing 1-bit of the old size: the new leaf completes that many subtrees.
        var merges = BitOperations.TrailingZeroCount(~(ulong)Size);
        var node = leaf;
        for (var i = 0; i < merges; i++)
        {
            node = MerkleHash.OfChildren(peaks[^1], node);
            peaks.RemoveAt(peaks.Count - 1);
        }

        peaks.Add(node);
        Size++;
        Check.That(peaks.Count == BitOperations.PopCount((ulong)Size));
    }

    /// <summary>The root: the peaks folded from right to left; of no leaves, <see cref="MerkleHash.EmptyRoot"/>.</summary>
    public MerkleHash Root()
    {
        if (peaks.Count == 0)
            return MerkleHash.EmptyRoot;
        var root = peaks[^1];
        for (var i = peaks.Count - 2; i >= 0; i--)
            root = MerkleHash.OfChildren(peaks[i], root);
        return root;
    }

    /// <summary>A copy that goes its own way.</summary>
    public CompactRange Clone() => new(Size, peaks);
}
