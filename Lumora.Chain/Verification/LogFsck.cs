using System.Globalization;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Verification;

/// <summary>What a full check of a published log has found.</summary>
/// <param name="Size">Leaves that the checkpoint covers; 0 when it does not hold.</param>
/// <param name="Problems">Each says what is wrong and where; empty when the log is whole.</param>
public sealed record FsckReport(long Size, IReadOnlyList<string> Problems)
{
    /// <summary>True when nothing is wrong.</summary>
    public bool IsWhole => Problems.Count == 0;
}

/// <summary>
/// Derives a published log again from its entries alone: bundles → leaf hashes → every tile → root → checkpoint, and compares
/// each with what is stored.
/// </summary>
public sealed class LogFsck(ITileReader tiles, VerifierKey log)
{
    /// <summary>Problems after which the check stops: the rest follows from them.</summary>
    public const int ProblemsMax = 100;

    private readonly List<string> _problems = [];
    private readonly List<List<MerkleHash>> _levels = [];
    private readonly Stack<(long Width, MerkleHash Hash)> _fold = new();

    /// <summary>Checks the log of <paramref name="checkpoint"/>; <paramref name="onEntry"/> sees every entry with its index.</summary>
    public static async Task<FsckReport> RunAsync(
        ITileReader tiles, VerifierKey log, byte[]? checkpoint, Action<long, ReadOnlyMemory<byte>>? onEntry,
        CancellationToken cancellationToken) =>
        await new LogFsck(tiles, log).RunAsync(checkpoint, onEntry, cancellationToken);

    private async Task<FsckReport> RunAsync(
        byte[]? note, Action<long, ReadOnlyMemory<byte>>? onEntry, CancellationToken cancellationToken)
    {
        if (note is null)
            return new FsckReport(0, ["checkpoint: missing"]);
        Checkpoint checkpoint;
        try
        {
            checkpoint = NoteVerifier.VerifyCheckpoint(note, log).Checkpoint;
        }
        catch (Exception exception) when (exception is VerificationException or FormatException)
        {
            return new FsckReport(0, [$"checkpoint: {exception.Message}"]);
        }

        for (var index = 0L; TileId.At(TileId.Entries, index, checkpoint.Size) is { } bundle; index++)
        {
            await BundleAsync(bundle, onEntry, cancellationToken);
            if (_problems.Count >= ProblemsMax)
                return new FsckReport(checkpoint.Size, _problems);
        }

        for (var level = 0; level < _levels.Count; level++)
            if (_levels[level].Count > 0)
                await CompareAsync(
                    new TileId(level, TileId.CountAt(level, checkpoint.Size) / TileId.WidthMax, _levels[level].Count), cancellationToken);
        if (_problems.Count == 0 && Root() != checkpoint.Root)
            _problems.Add($"checkpoint: its root is {checkpoint.Root}, the {checkpoint.Size} entries have {Root()}");
        return new FsckReport(checkpoint.Size, _problems);
    }

    private async Task BundleAsync(
        TileId bundle, Action<long, ReadOnlyMemory<byte>>? onEntry, CancellationToken cancellationToken)
    {
        IReadOnlyList<ReadOnlyMemory<byte>> entries;
        try
        {
            entries = EntryBundle.Decode(await tiles.ReadOrFullAsync(bundle, cancellationToken), bundle.Width);
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            _problems.Add($"{bundle.Path}: {exception.Message}");
            // Without its entries, nothing above the bundle can be derived: take the stored hashes and go on.
            await SkipAsync(bundle, cancellationToken);
            return;
        }

        for (var i = 0; i < entries.Count; i++)
        {
            onEntry?.Invoke(bundle.FirstLeaf + i, entries[i]);
            await AppendAsync(0, bundle.FirstLeaf + i, MerkleHash.OfLeaf(entries[i].Span), cancellationToken);
        }
    }

    private async Task SkipAsync(TileId bundle, CancellationToken cancellationToken)
    {
        var stored = await StoredAsync(bundle with { Level = 0 }, cancellationToken);
        for (var i = 0; i < bundle.Width; i++)
            await AppendAsync(0, bundle.FirstLeaf + i, stored?[i] ?? default, cancellationToken);
    }

    /// <summary>Takes hash number <paramref name="index"/> of a level; a full tile is compared and goes one level up.</summary>
    private async Task AppendAsync(int level, long index, MerkleHash hash, CancellationToken cancellationToken)
    {
        if (level == 0)
            Fold(hash);
        if (_levels.Count == level)
            _levels.Add([]);
        _levels[level].Add(hash);
        if (_levels[level].Count < TileId.WidthMax)
            return;
        await CompareAsync(new TileId(level, index / TileId.WidthMax, TileId.WidthMax), cancellationToken);
        var above = HashTile.Root([.. _levels[level]]);
        _levels[level].Clear();
        await AppendAsync(level + 1, index / TileId.WidthMax, above, cancellationToken);
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
            return;
        }
    }

    private async Task<MerkleHash[]?> StoredAsync(TileId tile, CancellationToken cancellationToken)
    {
        try
        {
            return HashTile.Decode(await tiles.ReadOrFullAsync(tile, cancellationToken), tile.Width);
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
