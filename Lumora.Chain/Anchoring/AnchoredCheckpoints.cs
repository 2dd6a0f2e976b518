using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Verification;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.Logging;

namespace Lumora.Chain.Anchoring;

/// <summary>
/// Finds the newest own memo on Solana: signed by the log's key and paid for by the anchor's. A memo that others copied
/// from an older anchor of ours is therefore not taken for the newest.
/// </summary>
public sealed partial class AnchoredCheckpoints(
    SolanaConnection connection, ShardMap shards, LumoraHome home, TimeProvider clock, ILogger<AnchoredCheckpoints> logger)
    : IAnchoredCheckpoints
{
    // Sizes grow from anchor to anchor, but an older one that was signed again may land late.
    private const int MemosRead = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(5);
    private static readonly AnchoredAnswer None = new(null, "the shard is not anchored");

    private Task<AnchoredAnswer>? _search;
    private DateTimeOffset _retryAt = DateTimeOffset.MinValue;

    /// <inheritdoc/>
    public async Task<AnchoredAnswer?> AskAsync(string shard, VerifierKey log, CancellationToken cancellationToken)
    {
        // Region shards are covered by the global log and stand in no memo. One publisher asks for the global shard.
        if (shard != shards.Of(ShardRole.Global))
            return None;
        var isNew = _search is null;
        if (isNew && (connection.Current is null || clock.GetUtcNow() < _retryAt))
            return null;
        _search ??= FindAsync(connection.Current!, log, cancellationToken);
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

    private async Task<AnchoredAnswer> FindAsync(SolanaCluster cluster, VerifierKey log, CancellationToken cancellationToken)
    {
        var key = Path.Combine(home.Keys, "solana-anchor.json");
        if (!File.Exists(key))
            return new AnchoredAnswer(null, "there is no anchor key yet");
        var payer = KeypairFile.Load(key).PublicKey;
        var found = await cluster.AllAsync(server => NewestAsync(server, payer, log, cancellationToken));
        // A server may hide memos but cannot make them up: whichever knows the most is right.
        var newest = found.OfType<MemoCheckpoint>().MaxBy(memo => memo.Checkpoint.Size);
        return newest is null
            ? new AnchoredAnswer(null, $"no memo of {payer.Key} on the cluster {cluster.GenesisHash}")
            : new AnchoredAnswer(newest.Checkpoint, $"transaction {newest.Signature} on the cluster {cluster.GenesisHash}");
    }

    private static async Task<MemoCheckpoint?> NewestAsync(
        IRpcClient server, PublicKey payer, VerifierKey log, CancellationToken cancellationToken)
    {
        var own = new List<MemoCheckpoint>();
        await foreach (var memo in MemoCheckpoints.SearchAsync(server, payer, log, cancellationToken))
        {
            if (memo.FeePayer.Equals(payer))
                own.Add(memo);
            if (own.Count == MemosRead)
                break;
        }

        return own.MaxBy(memo => memo.Checkpoint.Size);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The newest anchor could not be read and is asked for again: {Reason}")]
    private partial void LogFault(string reason);
}
