using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Verification;
using Lumora.Domain.Anchoring;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Marten;
using Microsoft.Extensions.Logging;

namespace Lumora.Chain.Anchoring;

/// <summary>
/// Finds the newest own memo on Solana: signed by a key of the log, also one that was replaced since, and paid for by the anchor's or by
/// the one before it. A memo that others copied from an older anchor of ours is therefore not taken for the newest. The search goes back
/// to the newest anchor that the database has, however many transactions others have put in between. For a region, finds what the
/// global log has recorded of it.
/// </summary>
public sealed partial class AnchoredCheckpoints(
    SolanaConnection connection, ShardSessions sessions, LumoraHome home, TimeProvider clock, ILogger<AnchoredCheckpoints> logger)
    : IAnchoredCheckpoints
{
    // Sizes grow from anchor to anchor, but an older one that was signed again may land late.
    private const int MemosRead = 8;

    // After a restart, a log that was anchored before waits for its chain: what it signs until then may be a fork.
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(5);

    private Task<AnchoredAnswer>? _search;
    private DateTimeOffset _retryAt = DateTimeOffset.MinValue;
    private bool _hasAsked;

    /// <inheritdoc/>
    public string? Fault { get; private set; }

    /// <inheritdoc/>
    public async Task<AnchoredAnswer?> AskAsync(string shard, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken)
    {
        // Region shards are covered by the global log and stand in no memo. One publisher asks for the global shard.
        if (shard != sessions.ShardOf(ShardRole.Global))
            return await RecordedAsync(shard, keys, cancellationToken);
        if (_hasAsked)
            return await AskAsync(keys, Wait, cancellationToken);
        var wasAnchored = await NewestRecordAsync(genesisHash: null, cancellationToken) is not null;
        _hasAsked = true;
        if (wasAnchored)
        {
            Task connected = connection.WaitAsync(cancellationToken).WaitAsync(FirstWait, clock, cancellationToken);
            await connected.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return await AskAsync(keys, wasAnchored ? FirstWait : Wait, cancellationToken);
    }

    private async Task<AnchoredAnswer?> AskAsync(IReadOnlyList<VerifierKey> keys, TimeSpan wait, CancellationToken cancellationToken)
    {
        var isNew = _search is null;
        if (isNew && (connection.Current is null || clock.GetUtcNow() < _retryAt))
            return null;
        _search ??= FindAsync(connection.Current!, keys, cancellationToken);
        try
        {
            // Who asks first waits a moment; a server that hangs is then looked after in passing.
            if (isNew)
                await _search.WaitAsync(wait, clock, cancellationToken);
            if (!_search.IsCompleted)
                return null;
            var answer = await _search;
            Fault = null;
            return answer;
        }
        catch (TimeoutException) when (!_search.IsCompleted)
        {
            return null;
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is: nothing is anchored before there is an answer.
            if (Fault != fault.Message)
                LogFault(fault.Message);
            Fault = fault.Message;
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
        var record = await NewestRecordAsync(cluster.GenesisHash, cancellationToken);
        var payers = new List<(PublicKey Payer, string? Until)>();
        if (record is not null)
            payers.Add((PayerOf(record), record.Signature));
        var file = Path.Combine(home.Keys, "solana-anchor.json");
        if (File.Exists(file) && KeypairFile.Load(file).PublicKey is var current && payers.TrueForAll(known => !known.Payer.Equals(current)))
            payers.Add((current, null));
        if (payers.Count == 0)
            return new AnchoredAnswer(null, "there is no anchor key yet");
        // One that is behind says the same as one that nothing was anchored on: as many as decide about anchors have to answer.
        var found = new List<MemoCheckpoint?>();
        foreach (var (payer, until) in payers)
            found.AddRange(await cluster.MostAsync(server => NewestAsync(server, payer, until, keys, cancellationToken)));
        // A server may hide memos but cannot make them up: whichever knows the most is right.
        var newest = found.OfType<MemoCheckpoint>().MaxBy(memo => memo.Checkpoint.Size);
        var recorded = CheckpointOf(record, keys);
        if (newest is not null && !(newest.Checkpoint.Size < recorded?.Size))
            return new AnchoredAnswer(newest.Checkpoint, $"transaction {newest.Signature} on the cluster {cluster.GenesisHash}");
        return recorded is null
            ? new AnchoredAnswer(null, $"no memo of {string.Join(" or ", payers.Select(known => known.Payer.Key))} on the cluster {cluster.GenesisHash}")
            : new AnchoredAnswer(recorded, $"transaction {record!.Signature} on the cluster {cluster.GenesisHash}, as recorded in the database");
    }

    // Who was to pay when it was prepared may have been replaced before it was signed.
    private static PublicKey PayerOf(AnchorView finalized) =>
        Transaction.Deserialize(Convert.FromBase64String(finalized.RawTransaction!)).Message.AccountKeys[0];

    /// <summary>What the memo says; null when no known key signed it, as after the theft of one.</summary>
    private static Checkpoint? CheckpointOf(AnchorView? record, IReadOnlyList<VerifierKey> keys)
    {
        try
        {
            return record is null ? null : NoteVerifier.VerifyCheckpoint(System.Text.Encoding.UTF8.GetBytes(record.Memo), keys, []).Checkpoint;
        }
        catch (Exception exception) when (exception is FormatException or VerificationException)
        {
            return null;
        }
    }

    /// <summary>The newest finalized anchor that the database has, on one cluster or on any.</summary>
    private async Task<AnchorView?> NewestRecordAsync(string? genesisHash, CancellationToken cancellationToken)
    {
        var shard = sessions.ShardOf(ShardRole.Global);
        await using var query = sessions.Query(ShardRole.Global);
        return await query.Query<AnchorView>()
            .Where(anchor => anchor.Shard == shard && anchor.Stage == AnchorStage.Finalized
                && (genesisHash == null || anchor.GenesisHash == genesisHash))
            .OrderByDescending(anchor => anchor.Size).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Goes back until <see cref="MemosRead"/> own memos are found, or the end, however many transactions of others stand in between.</summary>
    private static async Task<MemoCheckpoint?> NewestAsync(
        IRpcClient server, PublicKey payer, string? until, IReadOnlyList<VerifierKey> keys, CancellationToken cancellationToken)
    {
        var own = new List<MemoCheckpoint>();
        var patience = new Patience(cancellationToken);
        try
        {
            await foreach (var row in MemoCheckpoints.RowsAsync(server, payer, until, patience.AskAsync, cancellationToken))
            {
                if (row.Error is null
                    && await patience.AskAsync(() => MemoCheckpoints.ReadAsync(server, row.Signature, keys, cancellationToken)) is { } memo
                    && memo.FeePayer.Equals(payer))
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

    /// <summary>Repeats a call of a server that has answered before: a long search does not begin again for one that failed.</summary>
    private sealed class Patience(CancellationToken cancellationToken)
    {
        private const int FaultsMax = 5;

        private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

        private bool _hasAnswered;

        public async Task<T> AskAsync<T>(Func<Task<T>> call)
        {
            for (var faults = 1; ; faults++)
            {
                try
                {
                    var answer = await call();
                    _hasAnswered = true;
                    return answer;
                }
                catch (RpcUnavailableException) when (_hasAnswered && faults < FaultsMax)
                {
                    await Task.Delay(Pause * faults, cancellationToken);
                }
            }
        }
    }
}
