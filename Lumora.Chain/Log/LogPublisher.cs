using System.Security.Cryptography;
using Lumora.Chain.Blobs;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Domain.Kernel;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Log;

/// <summary>
/// Publishes one shard's log. The order is the safety: tiles and bundles durable, then consistency checked by the verifier's own
/// code on what was read back, then the signed checkpoint into the lock, and only then out. Not safe for two threads.
/// </summary>
public sealed class LogPublisher(
    string shard, ILeafSource leaves, IBlobStore blobs, ICheckpointLock checkpointLock, NoteSigner signer,
    IAnchoredCheckpoints? anchored = null)
{
    /// <summary>The path of the published checkpoint.</summary>
    public const string CheckpointPath = "checkpoint";

    private readonly BlobTiles _tiles = new(blobs);
    private readonly IAnchoredCheckpoints _anchored = anchored ?? new NothingAnchored();
    private State? _state;

    /// <summary>
    /// True once the chain has said what it holds of this log and the log goes on from there. Nothing is anchored before: an
    /// anchor of a fork would hide the one that shows it.
    /// </summary>
    public bool AgreesWithChain { get; private set; }

    /// <summary>The path of data that did not fit into its leaf.</summary>
    public static string DetachedPath(ReadOnlySpan<byte> data) => $"data/{Convert.ToHexStringLower(SHA256.HashData(data))}";

    /// <summary>
    /// Publishes what is committed. Answers the newest published checkpoint, also when nothing was new; null before the
    /// first leaf. After an exception the next call starts by recovering, so a write that failed and persisted is found.
    /// </summary>
    /// <exception cref="LogRefusedException">Signing could fork the log.</exception>
    public async Task<PublishedCheckpoint?> PublishAsync(CancellationToken cancellationToken)
    {
        var state = _state;
        _state = null;
        state ??= await RecoverAsync(cancellationToken);
        var size = await leaves.SizeAsync(cancellationToken);
        if (size < state.Builder.Size)
            throw new LogRefusedException(
                $"The log {shard} has signed a checkpoint of {state.Builder.Size} leaves, the database holds {size}: "
                + "it was set back. Restore a newer copy; nothing is signed until then.");
        // Asked once in a process: later anchors are of checkpoints that it has published itself.
        var anchor = AgreesWithChain ? null : await _anchored.AskAsync(shard, signer.Verifier, cancellationToken);
        if (anchor?.Newest is { } newest && newest.Size > size)
            throw new LogRefusedException(
                $"The log {shard} has anchored a checkpoint of {newest.Size} leaves ({anchor.Where}), the database holds {size}: "
                + "an old backup was restored. Restore a newer copy; nothing is signed until then.");
        if (size > state.Builder.Size)
            state = await ExtendAsync(state, size, anchor, cancellationToken);
        else
            await CheckAnchorAsync(anchor, size, state.Builder.Root(), cancellationToken);
        AgreesWithChain |= anchor is not null;
        _state = state;
        return state.Published;
    }

    /// <summary>The chain is set back by no backup: what it holds must be a beginning of what we have.</summary>
    private async Task CheckAnchorAsync(AnchoredAnswer? anchor, long size, MerkleHash root, CancellationToken cancellationToken)
    {
        if (anchor?.Newest is not { } newest)
            return;
        try
        {
            await CheckConsistencyAsync(newest, size, root, cancellationToken);
        }
        catch (LogRefusedException exception)
        {
            throw new LogRefusedException(
                $"The log {shard} of {size} leaves has another history than its anchored checkpoint of {newest.Size} ({anchor.Where}): "
                + $"an old backup was restored and went on. Nothing is signed. {exception.Message}", exception);
        }
    }

    private async Task<State> ExtendAsync(State state, long size, AnchoredAnswer? anchor, CancellationToken cancellationToken)
    {
        var old = state.Published;
        await AppendAsync(state.Builder, size, cancellationToken);
        var root = state.Builder.Root();
        await CheckConsistencyAsync(old?.Checkpoint, size, root, cancellationToken);
        await CheckAnchorAsync(anchor, size, root, cancellationToken);

        var checkpoint = new Checkpoint(signer.Verifier.Name, size, root);
        var text = checkpoint.ToText();
        var note = new SignedNote(text, [signer.Sign(text)]).ToBytes();
        await checkpointLock.SwapAsync(shard, old?.Note, note, cancellationToken);
        await blobs.ReplaceAsync(CheckpointPath, note, cancellationToken);
        if (old is not null)
            await CollectAsync(old.Checkpoint.Size, size, cancellationToken);
        return new State(state.Builder, new PublishedCheckpoint(shard, checkpoint, note));
    }

    /// <summary>Writes every tile, bundle and detached datum up to <paramref name="size"/> leaves.</summary>
    private async Task AppendAsync(TileBuilder builder, long size, CancellationToken cancellationToken)
    {
        var full = new List<(TileId Tile, byte[] Bytes)>();
        await foreach (var leaf in leaves.ReadAsync(builder.Size, size, cancellationToken))
        {
            // Pair assertion: hashed when it was written, hashed again now that it is read.
            if (MerkleHash.OfLeaf(leaf.Bytes) != leaf.Hash)
                throw new LogRefusedException($"The bytes of leaf {leaf.Index} in the database do not have their stored hash: they were changed.");
            if (leaf.Detached is { } data)
                await blobs.PutAsync(DetachedPath(data), data, cancellationToken);
            builder.Append(leaf.Bytes, leaf.Hash, (tile, bytes) => full.Add((tile, bytes)));
            foreach (var (tile, bytes) in full)
                await blobs.PutAsync(tile.Path, bytes, cancellationToken);
            full.Clear();
        }

        Check.That(builder.Size == size);
        foreach (var (tile, bytes) in builder.Partials())
            await blobs.PutAsync(tile.Path, bytes, cancellationToken);
    }

    /// <summary>Reads the tiles back and lets the verifier judge them.</summary>
    private async Task CheckConsistencyAsync(Checkpoint? old, long size, MerkleHash root, CancellationToken cancellationToken)
    {
        var tree = new TreeReader(_tiles, size);
        try
        {
            if (await tree.RootAsync(cancellationToken) != root)
                throw new VerificationException("The stored tiles have another root than the leaves.");
            if (old is { Size: > 0 })
            {
                var proof = await tree.ConsistencyAsync(old.Size, cancellationToken);
                ProofVerifier.VerifyConsistency(old.Size, old.Root, size, root, proof);
            }
        }
        catch (Exception exception) when (exception is VerificationException or TileMissingException or FormatException)
        {
            throw new LogRefusedException(
                $"The log {shard} of {size} leaves does not extend its checkpoint of {old?.Size ?? 0}: {exception.Message}", exception);
        }
    }

    /// <summary>Removes partial tiles of the old checkpoint whose full tile exists now (tlog-tiles allows it).</summary>
    private async Task CollectAsync(long oldSize, long size, CancellationToken cancellationToken)
    {
        for (var level = TileId.Entries; level <= TileId.LevelMax; level++)
        {
            var index = TileId.CountAt(level, oldSize) / TileId.WidthMax;
            if (TileId.At(level, index, oldSize) is { IsFull: false } partial && TileId.At(level, index, size) is { IsFull: true })
                await blobs.DeleteAsync(partial.Path, cancellationToken);
        }
    }

    /// <summary>published ≤ lock ≤ head, each shown to extend the one before; then what is signed gets published.</summary>
    private async Task<State> RecoverAsync(CancellationToken cancellationToken)
    {
        var published = Read(await blobs.ReadAsync(CheckpointPath, cancellationToken), "published checkpoint");
        var locked = Read(await checkpointLock.ReadAsync(shard, cancellationToken), "checkpoint in the lock");
        if (locked is null)
        {
            return published is null
                ? new State(new TileBuilder(), null)
                : throw new LogRefusedException(
                    $"The log {shard} has published {published.Checkpoint.Size} leaves, but its lock is empty: the lock's folder was lost.");
        }

        var head = await leaves.SizeAsync(cancellationToken);
        var size = locked.Checkpoint.Size;
        if (head < size)
            throw new LogRefusedException(
                $"The log {shard} has signed a checkpoint of {size} leaves, the database holds {head}: it was set back. "
                + "Restore a newer copy; nothing is signed until then.");
        if (published is not null && published.Checkpoint.Size > size)
            throw new LogRefusedException(
                $"The log {shard} has published {published.Checkpoint.Size} leaves, its lock knows {size} only: the lock was set back.");
        var builder = await ResumeAsync(locked.Checkpoint, cancellationToken);
        await CheckConsistencyAsync(published?.Checkpoint, size, locked.Checkpoint.Root, cancellationToken);
        if (published is null || !published.Note.AsSpan().SequenceEqual(locked.Note))
            await blobs.ReplaceAsync(CheckpointPath, locked.Note, cancellationToken);
        return new State(builder, locked);
    }

    private PublishedCheckpoint? Read(byte[]? note, string what)
    {
        if (note is null)
            return null;
        try
        {
            var verified = NoteVerifier.VerifyCheckpoint(note, signer.Verifier);
            return new PublishedCheckpoint(shard, verified.Checkpoint, note);
        }
        catch (Exception exception) when (exception is VerificationException or FormatException)
        {
            throw new LogRefusedException($"The {what} of the log {shard} does not hold: {exception.Message}", exception);
        }
    }

    /// <summary>Takes up the right edge from the tiles, or builds all tiles again from the leaves.</summary>
    private async Task<TileBuilder> ResumeAsync(Checkpoint locked, CancellationToken cancellationToken)
    {
        try
        {
            var builder = await ReadEdgeAsync(locked.Size, cancellationToken);
            var tree = await new TreeReader(_tiles, locked.Size).RootAsync(cancellationToken);
            if (builder.Root() == locked.Root && tree == locked.Root)
                return builder;
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            // Missing or cut off: the leaves know better.
        }

        var rebuilt = new TileBuilder();
        await AppendAsync(rebuilt, locked.Size, cancellationToken);
        return rebuilt.Root() == locked.Root
            ? rebuilt
            : throw new LogRefusedException(
                $"The {locked.Size} leaves of the log {shard} in the database have the root {rebuilt.Root()}, the signed checkpoint "
                + $"says {locked.Root}: history was changed.");
    }

    private async Task<TileBuilder> ReadEdgeAsync(long size, CancellationToken cancellationToken)
    {
        var partials = new List<IReadOnlyList<MerkleHash>>();
        for (var level = 0; TileId.CountAt(level, size) > 0; level++)
            partials.Add(await ReadPartialAsync(level, size, cancellationToken) is { } tile
                ? HashTile.Decode(tile.Bytes, tile.Tile.Width)
                : []);
        var bundle = await ReadPartialAsync(TileId.Entries, size, cancellationToken) is { } entries
            ? EntryBundle.Decode(entries.Bytes, entries.Tile.Width)
            : [];
        return TileBuilder.Resume(size, partials, [.. bundle.Select(entry => entry.ToArray())]);
    }

    private async Task<(TileId Tile, byte[] Bytes)?> ReadPartialAsync(int level, long size, CancellationToken cancellationToken)
    {
        var index = TileId.CountAt(level, size) / TileId.WidthMax;
        if (TileId.At(level, index, size) is not { } tile)
            return null;
        return (tile, await _tiles.ReadOrFullAsync(tile, cancellationToken));
    }

    private sealed record State(TileBuilder Builder, PublishedCheckpoint? Published);
}

/// <summary>A checkpoint that is signed, in the lock, and published.</summary>
/// <param name="Shard">The log's shard.</param>
/// <param name="Checkpoint">What it says.</param>
/// <param name="Note">The log-signed note, as it is served and anchored.</param>
public sealed record PublishedCheckpoint(string Shard, Checkpoint Checkpoint, byte[] Note);
