using System.Security.Cryptography;
using Lumora.Chain.Blobs;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnessing;
using Lumora.Domain.Kernel;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Log;

/// <summary>
/// Publishes one shard's log. The order is the safety: tiles and bundles durable, then consistency checked by the verifier's own
/// code on what was read back, then the signed checkpoint into the lock, then cosigned to the policy's quorum, and only then out. One
/// checkpoint at a time waits for its witnesses, and nothing larger is signed until it is out. Not safe for two threads.
/// </summary>
public sealed class LogPublisher(
    string shard, ILeafSource leaves, IBlobStore blobs, ICheckpointLock checkpointLock, LogSigner signer,
    IAnchoredCheckpoints? anchored = null, ICosigner? cosigner = null)
{
    /// <summary>The path of the published checkpoint.</summary>
    public const string CheckpointPath = "checkpoint";

    private readonly BlobTiles _tiles = new(blobs);
    private readonly IAnchoredCheckpoints _anchored = anchored ?? new NothingAnchored();
    private readonly ICosigner _cosigner = cosigner ?? new NoWitnesses();
    private State? _state;
    private bool _swept;

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
        var anchor = AgreesWithChain ? null : await _anchored.AskAsync(shard, signer.KnownKeys, cancellationToken);
        CheckSize(anchor, "anchored", size);
        CheckSize(state.Witnessed, "witnessed", size);
        state = await ReleaseAsync(state, cancellationToken);
        if (state.IsReleased && size > state.Builder.Size)
            state = await ReleaseAsync(await ExtendAsync(state, size, anchor, cancellationToken), cancellationToken);
        else
        {
            // While a checkpoint waits for its witnesses, an anchor beyond it cannot be compared with anything yet.
            anchor = anchor?.Newest?.Size > state.Builder.Size ? null : anchor;
            await CheckOutsideAsync(anchor, "anchored", state.Builder.Size, state.Builder.Root(), cancellationToken);
        }

        AgreesWithChain |= anchor is not null;
        // What an earlier process left when it ended between a checkpoint and what is collected behind it.
        if (!_swept && state.Published is { } published)
            await CollectAsync(0, published.Checkpoint.Size, cancellationToken);
        _swept |= state.Published is not null;
        _state = state;
        return state.Published;
    }

    private void CheckSize(AnchoredAnswer? outside, string kind, long size)
    {
        if (outside?.Newest is { } newest && newest.Size > size)
            throw new LogRefusedException(
                $"Of the log {shard} was {kind} a checkpoint of {newest.Size} leaves ({outside.Where}), the database holds {size}: "
                + "an old backup was restored. Restore a newer copy; nothing is signed until then.");
    }

    /// <summary>Chain and witnesses are set back by no backup: what they hold must be a beginning of what we have.</summary>
    private async Task CheckOutsideAsync(
        AnchoredAnswer? outside, string kind, long size, MerkleHash root, CancellationToken cancellationToken)
    {
        if (outside?.Newest is not { } newest)
            return;
        try
        {
            await CheckConsistencyAsync(newest, size, root, cancellationToken);
        }
        catch (LogRefusedException exception)
        {
            throw new LogRefusedException(
                $"The log {shard} of {size} leaves has another history than its {kind} checkpoint of {newest.Size} ({outside.Where}): "
                + $"an old backup was restored and went on. Nothing is signed. {exception.Message}", exception);
        }
    }

    private async Task<State> ExtendAsync(State state, long size, AnchoredAnswer? anchor, CancellationToken cancellationToken)
    {
        var old = state.Signed;
        await AppendAsync(state.Builder, size, cancellationToken);
        var root = state.Builder.Root();
        await CheckConsistencyAsync(old?.Checkpoint, size, root, cancellationToken);
        await CheckOutsideAsync(anchor, "anchored", size, root, cancellationToken);
        await CheckOutsideAsync(state.Witnessed, "witnessed", size, root, cancellationToken);

        var checkpoint = new Checkpoint(signer.Origin, size, root);
        var note = signer.Sign(checkpoint.ToText()).ToBytes();
        await checkpointLock.SwapAsync(shard, old?.Note, note, cancellationToken);
        return state with { Signed = new PublishedCheckpoint(shard, checkpoint, note), IsReleased = false, Witnessed = null };
    }

    /// <summary>Publishes what is signed, once its witnesses have cosigned it; until then it stays signed and inside.</summary>
    private async Task<State> ReleaseAsync(State state, CancellationToken cancellationToken)
    {
        if (state.IsReleased || state.Signed is not { } signed
            || await _cosigner.CosignAsync(signed, _tiles, cancellationToken) is not { } served)
            return state;
        await blobs.ReplaceAsync(CheckpointPath, served, cancellationToken);
        if (state.Published is { } old)
            await CollectAsync(old.Checkpoint.Size, signed.Checkpoint.Size, cancellationToken);
        return state with { Published = signed with { Served = served }, IsReleased = true };
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

    /// <summary>Removes all partial tiles whose full tile came between the two sizes (tlog-tiles allows it).</summary>
    private async Task CollectAsync(long oldSize, long size, CancellationToken cancellationToken)
    {
        foreach (var tile in TileId.Between(oldSize, size).Where(tile => tile.IsFull))
            await blobs.DeleteFolderAsync(tile.PartialsFolder, cancellationToken);
    }

    /// <summary>published ≤ lock ≤ head, each shown to extend the one before; then what is signed gets published.</summary>
    private async Task<State> RecoverAsync(CancellationToken cancellationToken)
    {
        var published = Read(await blobs.ReadAsync(CheckpointPath, cancellationToken), "published checkpoint");
        var witnessed = await _cosigner.NewestAsync(signer.KnownKeys, cancellationToken);
        var locked = Read(await checkpointLock.ReadAsync(shard, cancellationToken), "checkpoint in the lock");
        // The lock is compared byte by byte, with signatures of keys that have gone since.
        locked = locked is null ? null : locked with { Note = locked.Served };
        if (locked is null)
        {
            return published is null
                ? new State(new TileBuilder(), Signed: null, Published: null, IsReleased: true, witnessed)
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
        // The last process may have ended between its swap and the flush: what comes out stands in the lock for good.
        await checkpointLock.SwapAsync(shard, locked.Served, locked.Served, cancellationToken);
        var builder = await ResumeAsync(locked.Checkpoint, cancellationToken);
        await CheckConsistencyAsync(published?.Checkpoint, size, locked.Checkpoint.Root, cancellationToken);
        // Compared before anything comes out: what is in the lock may be a fork of what was restored away.
        if (witnessed.Newest?.Size <= size)
            await CheckOutsideAsync(witnessed, "witnessed", size, locked.Checkpoint.Root, cancellationToken);
        if (published?.Checkpoint != locked.Checkpoint)
            return new State(builder, locked, published, IsReleased: false, witnessed);
        return new State(
            builder, locked, locked with { Served = published.Served }, _cosigner.IsWitnessed(locked, published.Served), witnessed);
    }

    private PublishedCheckpoint? Read(byte[]? note, string what)
    {
        if (note is null)
            return null;
        try
        {
            var verified = NoteVerifier.VerifyCheckpoint(note, signer.Keys, []);
            return new PublishedCheckpoint(shard, verified.Checkpoint, verified.Note.Only(signer.Keys).ToBytes()) { Served = note };
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
            if (builder.Root() == locked.Root && tree == locked.Root && await IsWholeAsync(locked.Size, cancellationToken))
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

    /// <summary>
    /// Whether every full tile and bundle is there: neither the edge nor the root shows one that was lost below a full tile above it.
    /// </summary>
    private async Task<bool> IsWholeAsync(long size, CancellationToken cancellationToken)
    {
        foreach (var tile in TileId.Between(0, size).Where(tile => tile.IsFull))
        {
            if (!await blobs.ExistsAsync(tile.Path, cancellationToken))
                return false;
        }

        return true;
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

    /// <param name="Builder">The tree of what is signed.</param>
    /// <param name="Signed">What stands in the lock.</param>
    /// <param name="Published">What is served: the same, or the one before while that waits for its witnesses.</param>
    /// <param name="IsReleased">Whether they are the same, with all cosignatures that the policy asks for.</param>
    /// <param name="Witnessed">What the witnesses showed when this was recovered, until it was compared.</param>
    private sealed record State(
        TileBuilder Builder, PublishedCheckpoint? Signed, PublishedCheckpoint? Published, bool IsReleased, AnchoredAnswer? Witnessed);
}

/// <summary>A checkpoint that is signed, in the lock, and, but for what waits for witnesses, published.</summary>
/// <param name="Shard">The log's shard.</param>
/// <param name="Checkpoint">What it says.</param>
/// <param name="Note">The log-signed note without cosignatures, as it stands in the lock and is anchored.</param>
public sealed record PublishedCheckpoint(string Shard, Checkpoint Checkpoint, byte[] Note)
{
    /// <summary>The note as it is served: with the cosignatures of witnesses.</summary>
    public byte[] Served { get; init; } = Note;
}
