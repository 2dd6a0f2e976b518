using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Verification;
using Lumora.Domain.Anchoring;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.Logging;

namespace Lumora.Chain.Anchoring;

/// <summary>
/// Finds the newest own memo on Solana: signed by a key of the log, also one that was replaced since, and paid for by the anchor's. A memo that others copied
/// from an older anchor of ours is therefore not taken for the newest. For a region, finds what the global log has recorded of it.
/// </summary>
public sealed partial class AnchoredCheckpoints(
    SolanaConnection connection, ShardSessions sessions, LumoraHome home, TimeProvider clock, ILogger<AnchoredCheckpoints> logger)
    : IAnchoredCheckpoints
{
    // Sizes grow from anchor to anchor, but an older one that was signed again may land late.
    private const int MemosRead = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(5);

    private Task<AnchoredAnswer>? _search;
    private DateTimeOffset _retryAt = DateTimeOffset.MinValue;

    /// <inheritdoc/>
    public async Task<AnchoredAnswer?> AskAsync(string shard, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken)
    {
        // Region shards are covered by the global log and stand in no memo. One publisher asks for the global shard.
        if (shard != sessions.ShardOf(ShardRole.Global))
            return await RecordedAsync(shard, keys, cancellationToken);
        var isNew = _search is null;
        if (isNew && (connection.Current is null || clock.GetUtcNow() < _retryAt))
            return null;
        _search ??= FindAsync(connection.Current!, keys, cancellationToken);
        try
        {
            // Who asks first waits a moment; a server that hangs is then looked after in passing.
            if (isNew)
                await _search.WaitAsync(Patience, clock, cancellationToken);
            return _search.IsCompleted ? await _search : null;
        }
        catch (TimeoutException) when (!_search.IsCompleted)
        {
            return null;
        }
        catch (Exception fault) when (fault is SolanaException or VerificationException or TimeoutException)
        {
            LogFault(fault.Message);
            (_search, _retryAt) = (null, clock.GetUtcNow() + RetryPause);
            return null;
        }
    }

    /// <summary>Another database than the region's own: a backup of one sets back the other no more than the chain.</summary>
    private async Task<AnchoredAnswer?> RecordedAsync(string shard, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken)
    {
        await using var query = sessions.Query(ShardRole.Global);
        if (await query.LoadAsync<RegionCheckpoint>(RegionCheckpoint.StreamOf(shard), cancellationToken) is not { } recorded)
            return new AnchoredAnswer(null, $"the global log has recorded no checkpoint of {shard}");
        try
        {
            var note = System.Text.Encoding.UTF8.GetBytes(recorded.Note);
            return new AnchoredAnswer(
                NoteVerifier.VerifyCheckpoint(note, keys, []).Checkpoint, $"the newest event of {recorded.Id} in the global log");
        }
        catch (Exception fault) when (fault is FormatException or VerificationException)
        {
            LogFault($"{recorded.Id}: {fault.Message}");
            return null;
        }
    }

    private async Task<AnchoredAnswer> FindAsync(SolanaCluster cluster, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken)
    {
        var key = Path.Combine(home.Keys, "solana-anchor.json");
        if (!File.Exists(key))
            return new AnchoredAnswer(null, "there is no anchor key yet");
        var payer = KeypairFile.Load(key).PublicKey;
        // One that is behind says the same as one that nothing was anchored on: as many as decide about anchors have to answer.
        var found = await cluster.MostAsync(server => NewestAsync(server, payer, keys, cancellationToken));
        // A server may hide memos but cannot make them up: whichever knows the most is right.
        var newest = found.OfType<MemoCheckpoint>().MaxBy(memo => memo.Checkpoint.Size);
        return newest is null
            ? new AnchoredAnswer(null, $"no memo of {payer.Key} on the cluster {cluster.GenesisHash}")
            : new AnchoredAnswer(newest.Checkpoint, $"transaction {newest.Signature} on the cluster {cluster.GenesisHash}");
    }

    private static async Task<MemoCheckpoint?> NewestAsync(
        IRpcClient server, PublicKey payer, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken)
    {
        var own = new List<MemoCheckpoint>();
        try
        {
            await foreach (var memo in MemoCheckpoints.SearchAsync(server, payer, keys, cancellationToken))
            {
                if (memo.FeePayer.Equals(payer))
                    own.Add(memo);
                if (own.Count == MemosRead)
                    break;
            }
        }
        catch (VerificationException fault)
        {
            // That it lies says nothing about the others.
            throw new RpcUnavailableException($"An answer of {server.NodeAddress.Authority} is not what was asked for: {fault.Message}", fault);
        }

        return own.MaxBy(memo => memo.Checkpoint.Size);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The newest anchor could not be read and is asked for again: {Reason}")]
    private partial void LogFault(string reason);
}
