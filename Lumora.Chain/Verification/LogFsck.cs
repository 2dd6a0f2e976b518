using System.Globalization;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Verification;

/// <summary>What a full check of a published log has found.</summary>
/// <param name="Size">Leaves that the checkpoint covers; 0 when it does not hold.</param>
/// <param name="Problems">Each says what is wrong and where; empty when the log is whole.</param>
/// <param name="Edge">Where a later check can go on; null unless the log is whole.</param>
public sealed record FsckReport(long Size, IReadOnlyList<string> Problems, TreeEdge? Edge = null)
{
    /// <summary>Entries whose bytes are not those that the log's tiles commit to: index and bytes as they were read.</summary>
    public IReadOnlyList<(long Index, byte[] Bytes)> Rewritten { get; init; } = [];

    /// <summary>True when nothing is wrong.</summary>
    public bool IsWhole => Problems.Count == 0;
}

/// <summary>Sees an entry of a log, in order, with its index.</summary>
public delegate ValueTask EntryReader(long index, ReadOnlyMemory<byte> entry);

/// <summary>
/// Hears that nothing was wrong up to the end of a bundle; <paramref name="edge"/> makes the edge there, from which a check that is broken
/// off can go on. Only the root at the end shows that those were the checkpoint's entries.
/// </summary>
public delegate ValueTask EdgeReader(Func<TreeEdge> edge);

/// <summary>
/// Derives a published log again from its entries alone: bundles → leaf hashes → every tile → root → checkpoint, and compares
/// each with what is stored. Can begin where an earlier check of the same log ended.
/// </summary>
public sealed class LogFsck
{
    /// <summary>Problems after which the check stops: the rest follows from them.</summary>
    public const int ProblemsMax = 100;

    private readonly ITileReader _tiles;
    private readonly List<string> _problems = [];
    private readonly List<(long Index, byte[] Bytes)> _rewritten = [];
    private readonly List<List<MerkleHash>> _levels = [];
    private readonly Stack<(long Width, MerkleHash Hash)> _fold = new();
    private readonly long _begin;
    // The entries under the level-0 tile that is being filled: a hash that differs is shown with its bytes.
    private readonly ReadOnlyMemory<byte>[] _entries = new ReadOnlyMemory<byte>[TileId.WidthMax];

    private LogFsck(ITileReader tiles, TreeEdge from)
    {
        (_tiles, _begin) = (tiles, from.Size);
        _levels.AddRange(from.Levels.Select(level => level.ToList()));
        var rest = from.Size;
        foreach (var peak in from.Peaks)
        {
            var width = 1L << System.Numerics.BitOperations.Log2((ulong)rest);
            _fold.Push((width, peak));
            rest -= width;
        }
    }

    /// <summary>Checks the log of <paramref name="checkpoint"/>; <paramref name="onEntry"/> sees every entry with its index.</summary>
    public static async Task<FsckReport> RunAsync(
        ITileReader tiles, VerifierKey log, byte[]? checkpoint, Action<long, ReadOnlyMemory<byte>>? onEntry,
        CancellationToken cancellationToken)
    {
        if (checkpoint is null)
            return new FsckReport(0, ["checkpoint: missing"]);
        Checkpoint verified;
        try
        {
            verified = NoteVerifier.VerifyCheckpoint(checkpoint, log).Checkpoint;
        }
        catch (Exception exception) when (exception is VerificationException or FormatException)
        {
            return new FsckReport(0, [$"checkpoint: {exception.Message}"]);
        }

        return await RunAsync(tiles, verified, TreeEdge.Empty, Reader, cancellationToken);

        ValueTask Reader(long index, ReadOnlyMemory<byte> entry)
        {
            onEntry?.Invoke(index, entry);
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>
    /// Checks the log of <paramref name="checkpoint"/>, whose signature was checked, from <paramref name="from"/> on;
    /// <paramref name="onEntry"/> sees every entry behind it, <paramref name="onEdge"/> hears of each full bundle while nothing is wrong.
    /// </summary>
    public static async Task<FsckReport> RunAsync(
        ITileReader tiles, Checkpoint checkpoint, TreeEdge from, EntryReader onEntry, CancellationToken cancellationToken, EdgeReader? onEdge = null)
    {
        if (from.Size > checkpoint.Size)
            throw new ArgumentOutOfRangeException(nameof(from), from.Size, "The edge is of a larger tree.");
        return await new LogFsck(tiles, from).RunAsync(checkpoint, onEntry, onEdge, cancellationToken);
    }

    private async Task<FsckReport> RunAsync(
        Checkpoint checkpoint, EntryReader onEntry, EdgeReader? onEdge, CancellationToken cancellationToken)
    {
        for (var index = _begin / TileId.WidthMax; TileId.At(TileId.Entries, index, checkpoint.Size) is { } bundle; index++)
        {
            await BundleAsync(bundle, onEntry, cancellationToken);
            if (_problems.Count >= ProblemsMax)
                return new FsckReport(checkpoint.Size, _problems) { Rewritten = _rewritten };
            if (onEdge is not null && _problems.Count == 0 && bundle.IsFull)
                await onEdge(() => Edge(bundle.FirstLeaf + bundle.Width));
        }

        for (var level = 0; level < _levels.Count; level++)
            if (_levels[level].Count > 0)
                await CompareAsync(
                    new TileId(level, TileId.CountAt(level, checkpoint.Size) / TileId.WidthMax, _levels[level].Count), cancellationToken);
        if (_problems.Count == 0 && Root() != checkpoint.Root)
            _problems.Add($"checkpoint: its root is {checkpoint.Root}, the {checkpoint.Size} entries have {Root()}");
        return new FsckReport(checkpoint.Size, _problems, _problems.Count == 0 ? Edge(checkpoint.Size) : null) { Rewritten = _rewritten };
    }

    private TreeEdge Edge(long size) => new(
        size, [.. _levels.Select(level => (IReadOnlyList<MerkleHash>)[.. level])], [.. _fold.Select(part => part.Hash).Reverse()]);

    private async Task BundleAsync(TileId bundle, EntryReader onEntry, CancellationToken cancellationToken)
    {
        IReadOnlyList<ReadOnlyMemory<byte>> entries;
        try
        {
            entries = EntryBundle.Decode(await _tiles.ReadOrFullAsync(bundle, cancellationToken), bundle.Width);
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            _problems.Add($"{bundle.Path}: {exception.Message}");
            // Without its entries, nothing above the bundle can be derived: take the stored hashes and go on.
            await SkipAsync(bundle, cancellationToken);
            return;
        }

        // The entries in front of the edge were checked before; they stay for a message about their tile.
        var first = (int)Math.Max(0, _begin - bundle.FirstLeaf);
        for (var i = 0; i < first; i++)
            Again(bundle, i, entries[i]);
        for (var i = first; i < entries.Count; i++)
        {
            var hash = MerkleHash.OfLeaf(entries[i].Span);
            _entries[i] = entries[i];
            await onEntry(bundle.FirstLeaf + i, entries[i]);
            if (Append(0, hash))
                await CompleteAsync(0, bundle.Index, cancellationToken);
        }
    }

    private void Again(TileId bundle, int i, ReadOnlyMemory<byte> entry)
    {
        _entries[i] = entry;
        if (MerkleHash.OfLeaf(entry.Span) == _levels[0][i])
            return;
        _rewritten.Add((bundle.FirstLeaf + i, entry.ToArray()));
        _problems.Add(string.Create(
            CultureInfo.InvariantCulture, $"entry {bundle.FirstLeaf + i}: its bytes in the bundle are not those of the earlier check"));
    }

    private async Task SkipAsync(TileId bundle, CancellationToken cancellationToken)
    {
        var stored = await StoredAsync(bundle with { Level = 0 }, cancellationToken);
        Array.Clear(_entries);
        for (var i = (int)Math.Max(0, _begin - bundle.FirstLeaf); i < bundle.Width; i++)
            if (Append(0, stored?[i] ?? default))
                await CompleteAsync(0, bundle.Index, cancellationToken);
    }

    /// <summary>Takes the next hash of a level; true when its tile is full.</summary>
    private bool Append(int level, MerkleHash hash)
    {
        if (level == 0)
            Fold(hash);
        if (_levels.Count == level)
            _levels.Add([]);
        _levels[level].Add(hash);
        return _levels[level].Count == TileId.WidthMax;
    }

    /// <summary>Compares a full tile and goes one level up with its root.</summary>
    private async Task CompleteAsync(int level, long index, CancellationToken cancellationToken)
    {
        await CompareAsync(new TileId(level, index, TileId.WidthMax), cancellationToken);
        var above = HashTile.Root([.. _levels[level]]);
        _levels[level].Clear();
        if (Append(level + 1, above))
            await CompleteAsync(level + 1, index / TileId.WidthMax, cancellationToken);
    }

    private async Task CompareAsync(TileId tile, CancellationToken cancellationToken)
    {
        if (await StoredAsync(tile, cancellationToken) is not { } stored)
            return;
        var derived = _levels[tile.Level];
        for (var i = 0; i < derived.Count; i++)
        {
            if (stored[i] == derived[i])
                continue;
            // Level 0 stands over single entries: then the entry itself can be named.
            var where = tile.Level == 0
                ? string.Create(CultureInfo.InvariantCulture, $"entry {tile.FirstLeaf + i}: its bytes in the bundle and its hash in {tile.Path} differ")
                : string.Create(CultureInfo.InvariantCulture, $"{tile.Path}: hash {i} is {stored[i]}, the entries give {derived[i]}");
            _problems.Add(where);
            if (tile.Level == 0)
                _rewritten.Add((tile.FirstLeaf + i, _entries[i].ToArray()));
            return;
        }
    }

    private async Task<MerkleHash[]?> StoredAsync(TileId tile, CancellationToken cancellationToken)
    {
        try
        {
            return HashTile.Decode(await _tiles.ReadOrFullAsync(tile, cancellationToken), tile.Width);
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            _problems.Add($"{tile.Path}: {exception.Message}");
            return null;
        }
    }

    /// <summary>The root by a way of its own: equal subtrees merge as they come (RFC 9162 §2.1.2).</summary>
    private void Fold(MerkleHash leaf)
    {
        var (width, hash) = (1L, leaf);
        while (_fold.TryPeek(out var left) && left.Width == width)
        {
            _fold.Pop();
            (width, hash) = (width * 2, MerkleHash.OfChildren(left.Hash, hash));
        }

        _fold.Push((width, hash));
    }

    private MerkleHash Root() =>
        _fold.Count == 0 ? MerkleHash.EmptyRoot : _fold.Select(part => part.Hash).Aggregate((right, left) => MerkleHash.OfChildren(left, right));
}
