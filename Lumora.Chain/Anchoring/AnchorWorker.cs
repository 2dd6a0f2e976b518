using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Marten;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lumora.Chain.Anchoring;

/// <summary>
/// Anchors the global shard's log: one anchor at a time, driven to finality or signed again. A dead chain delays anchors
/// and nothing else. After a crash it goes on from the events: bytes that were sent are stored in them.
/// </summary>
public sealed partial class AnchorWorker(
    ShardSessions sessions, Log.ShardLogs logs, IPublishedCheckpoints checkpoints, Log.IAnchoredCheckpoints anchored, SolanaConnection connection, LumoraHome home,
    AnchorStatus status, IOptions<AnchoringOptions> options, TimeProvider clock, ILogger<AnchorWorker> logger)
    : BackgroundService
{
    private static readonly Actor Network = Actor.System("anchoring");
    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WalletInterval = TimeSpan.FromSeconds(10);

    private readonly string _shard = sessions.ShardOf(ShardRole.Global);
    private readonly LeafBacklog _backlog = new(checkpoints, sessions.ShardOf(ShardRole.Global));
    private DateTimeOffset _walletAt = DateTimeOffset.MinValue;

    private TimeSpan Poll => TimeSpan.FromMilliseconds(options.Value.PollMs);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var key = KeypairFile.LoadOrCreate(Path.Combine(home.Keys, "solana-anchor.json"));
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Poll;
            try
            {
                await StepAsync(key, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is SolanaException or NpgsqlException or AnchorRefusedException or FormatException or IOException
                or JasperFx.ConcurrencyException or Marten.Exceptions.MartenCommandException)
            {
                if (status.Note(fault.Message))
                    LogFault(fault.Message);
                pause = FaultPause;
            }

            await Task.Delay(pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task StepAsync(Keypair key, CancellationToken ct)
    {
        var (covered, inFlight) = await StandingAsync(ct);
        // Counted also while there is no chain: then the age is what tells.
        await _backlog.LookAsync(covered, ct);
        status.Waiting(_backlog.Count, _backlog.Since);
        if (connection.Current is not { } cluster)
            return;
        var chain = new AnchorChain(cluster, key, options.Value);
        if (clock.GetUtcNow() - _walletAt >= WalletInterval)
            await WatchWalletAsync(chain, key, ct);
        if (inFlight is not null)
            await DriveAsync(inFlight, chain, key, ct);
        else if (_backlog.IsDue(options.Value, clock.GetUtcNow())
            && checkpoints.Latest(_shard) is { } latest && latest.Checkpoint.Size > covered)
            await PrepareAsync(latest, chain, key, ct);
        // Nothing is published for anchoring before the newest anchor could be read.
        if (anchored.Fault is { } fault)
            status.Note(fault);
        else
            status.Clear();
    }

    /// <summary>Leaves that the newest finalized anchor covers, and the anchor that is under way.</summary>
    private async Task<(long Covered, AnchorView? InFlight)> StandingAsync(CancellationToken ct)
    {
        await using var query = sessions.Query(ShardRole.Global);
        var newest = await query.Query<AnchorView>().Where(anchor => anchor.Shard == _shard)
            .OrderByDescending(anchor => anchor.Size).Take(2).ToListAsync(ct);
        return (newest.FirstOrDefault(anchor => anchor.Stage == AnchorStage.Finalized)?.Size ?? 0,
            newest.LastOrDefault(anchor => anchor.Stage != AnchorStage.Finalized));
    }

    /// <summary>The alarm comes before the money is gone, and stops no anchor.</summary>
    private async Task<ulong> WatchWalletAsync(AnchorChain chain, Keypair key, CancellationToken ct)
    {
        var lamports = await chain.BalanceAsync(ct);
        _walletAt = clock.GetUtcNow();
        var low = lamports < (ulong)options.Value.LowBalanceLamports
            ? $"the anchor wallet {key.PublicKey.Key} holds {lamports} lamports, fewer than Anchoring:LowBalanceLamports {options.Value.LowBalanceLamports}; send it some SOL"
            : null;
        if (status.Wallet(checked((long)lamports), low))
            LogWalletLow(low!);
        return lamports;
    }

    private async Task PrepareAsync(Log.PublishedCheckpoint latest, AnchorChain chain, Keypair key, CancellationToken ct)
    {
        var checkpoint = latest.Checkpoint;
        var prepared = new AnchorPrepared(
            _shard, checkpoint.Size, checkpoint.Root.ToBase64(), System.Text.Encoding.UTF8.GetString(latest.Note),
            chain.GenesisHash, key.PublicKey.Key, clock.Now());
        // One at a time also where several hosts anchor: who comes second sees the first one's.
        await using var database = await sessions.DataSource(ShardRole.Global).OpenConnectionAsync(ct);
        await using var transaction = await database.BeginTransactionAsync(ct);
        await using (var turn = new NpgsqlCommand("select pg_advisory_xact_lock(hashtext('lumora anchor'))", database, transaction))
            await turn.ExecuteNonQueryAsync(ct);
        await using var session = sessions.Open(ShardRole.Global, Network, transaction);
        var newest = await session.Query<AnchorView>().Where(anchor => anchor.Shard == _shard)
            .OrderByDescending(anchor => anchor.Size).FirstOrDefaultAsync(ct);
        if (newest is { Stage: not AnchorStage.Finalized })
            return;
        await CosignedNotes.KeepAsync(logs.Find(_shard)!.Blobs, latest, ct);
        await CommitAsync(session, checkpoint.Size, state => AnchorDecider.Prepare(state, newest?.Size ?? 0, prepared), ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>One step of an anchor that is under way.</summary>
    private async Task DriveAsync(AnchorView anchor, AnchorChain chain, Keypair key, CancellationToken ct)
    {
        if (anchor.GenesisHash != chain.GenesisHash)
            throw new WrongClusterException(anchor.GenesisHash, chain.GenesisHash);
        switch (anchor.Stage)
        {
            case AnchorStage.Prepared:
                if (await WatchWalletAsync(chain, key, ct) == 0)
                    throw new AnchorRefusedException($"The anchor wallet {anchor.Payer} holds no SOL for fees; send some.");
                var fresh = await chain.SignAsync(anchor.Memo, clock.Now(), ct);
                await CommitAsync(anchor.Size, state => AnchorDecider.Sign(state!, fresh), ct);
                await SendAsync(anchor.Size, fresh.Signature, fresh.RawTransaction, chain, ct);
                break;
            case AnchorStage.Signed:
                // Signed before a crash or a fault: look first, then send the same bytes.
                var signed = await StateAsync(anchor.Size, ct);
                if (!await ExpireAsync(signed, chain, ct))
                    await SendAsync(anchor.Size, signed.Signature!, signed.RawTransaction!, chain, ct);
                break;
            default:
                await WatchAsync(await StateAsync(anchor.Size, ct), chain, ct);
                break;
        }
    }

    private async Task SendAsync(long size, string signature, string rawTransaction, AnchorChain chain, CancellationToken ct)
    {
        if (await chain.SendAsync(rawTransaction, ct))
            await CommitAsync(size, state => AnchorDecider.Submit(state!, signature, clock.Now()), ct);
    }

    private async Task WatchAsync(AnchorState anchor, AnchorChain chain, CancellationToken ct)
    {
        var signature = anchor.Signature!;
        var sighting = await chain.SightAsync(signature, ct);
        await CommitAsync(anchor.Size, state => AnchorDecider.Observe(state!, signature, sighting, clock.Now()), ct);
        if (sighting is { Stage: AnchorStage.Finalized, Error: null }
            && await chain.ReadAsync(signature, ct) is { } record)
        {
            if (await CommitAsync(anchor.Size, state => AnchorDecider.Finalize(state!, signature, record, clock.Now()), ct) > 0)
                LogAnchored(anchor.Size, signature, record.Slot);
        }
        else if (sighting is null && !await ExpireAsync(anchor, chain, ct))
        {
            // Dropped or on its way: the same bytes again do no harm.
            await chain.SendAsync(anchor.RawTransaction!, ct);
        }
    }

    private async Task<bool> ExpireAsync(AnchorState anchor, AnchorChain chain, CancellationToken ct)
    {
        var blockhash = Transaction.Deserialize(Convert.FromBase64String(anchor.RawTransaction!)).Message.RecentBlockhash;
        return await chain.HeightWithoutAsync(anchor.Signature!, blockhash, anchor.LastValidBlockHeight, ct) is { } height
            && await CommitAsync(anchor.Size, state => AnchorDecider.Expire(state!, anchor.Signature!, height, clock.Now()), ct) > 0;
    }

    private async Task<AnchorState> StateAsync(long size, CancellationToken ct)
    {
        await using var query = sessions.Query(ShardRole.Global);
        return (await query.Events.AggregateStreamAsync<AnchorState>(AnchorState.StreamOf(_shard, size), token: ct))!;
    }

    private async Task<int> CommitAsync(long size, Func<AnchorState?, Decision> decide, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Global, Network);
        return await CommitAsync(session, size, decide, ct);
    }

    private async Task<int> CommitAsync(
        IDocumentSession session, long size, Func<AnchorState?, Decision> decide, CancellationToken ct)
    {
        var stream = await session.Events.FetchForWriting<AnchorState>(AnchorState.StreamOf(_shard, size), ct);
        switch (decide(stream.Aggregate))
        {
            case Decision.Accepted { Events.Count: > 0 } accepted:
                stream.AppendMany([.. accepted.Events]);
                await session.SaveChangesAsync(ct);
                return accepted.Events.Count;
            case Decision.Rejected rejected:
                throw new AnchorRefusedException($"{rejected.Reason.Code}: {rejected.Reason.Message}");
            default:
                return 0;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Anchored {Size} leaves in transaction {Signature}, slot {Slot}")]
    private partial void LogAnchored(long size, string signature, long slot);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Anchoring waits: {Reason}")]
    private partial void LogFault(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "anchor_wallet_low: {Reason}")]
    private partial void LogWalletLow(string reason);
}

/// <summary>An anchor cannot go on until somebody acts; the message says what is wrong.</summary>
public sealed class AnchorRefusedException(string message) : Exception(message);
