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
    ShardSessions sessions, IPublishedCheckpoints checkpoints, SolanaConnection connection, LumoraHome home,
    AnchorStatus status, IOptions<AnchoringOptions> options, TimeProvider clock, ILogger<AnchorWorker> logger)
    : BackgroundService
{
    private static readonly Actor Network = Actor.System("anchoring");
    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    private readonly string _shard = sessions.ShardOf(ShardRole.Global);
    private DateTimeOffset? _waitingSince;

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
                var chain = new AnchorChain(await connection.WaitAsync(stoppingToken), key);
                await StepAsync(chain, key, stoppingToken);
                status.Clear();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is SolanaException or NpgsqlException or AnchorRefusedException
                or JasperFx.ConcurrencyException or Marten.Exceptions.MartenCommandException)
            {
                if (status.Note(fault.Message))
                    LogFault(fault.Message);
                pause = FaultPause;
            }

            await Task.Delay(pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task StepAsync(AnchorChain chain, Keypair key, CancellationToken ct)
    {
        await using var query = sessions.Query(ShardRole.Global);
        var newest = await query.Query<AnchorView>().Where(anchor => anchor.Shard == _shard)
            .OrderByDescending(anchor => anchor.Size).FirstOrDefaultAsync(ct);
        await WatchAgeAsync(newest?.Size ?? 0, ct);
        if (newest is { Stage: not AnchorStage.Finalized })
            await DriveAsync(newest, chain, ct);
        else if (Due(newest?.Size ?? 0) is { } checkpoint)
            await PrepareAsync(checkpoint, newest?.Size ?? 0, chain, key, ct);
    }

    /// <summary>Since when leaves wait: what <c>unanchored_age_seconds</c> shows.</summary>
    private async Task WatchAgeAsync(long anchored, CancellationToken ct)
    {
        var latest = checkpoints.Latest(_shard);
        var waiting = latest is not null && latest.Checkpoint.Size > anchored
            ? await checkpoints.CountLeavesAsync(_shard, anchored, latest.Checkpoint.Size, ct)
            : 0;
        _waitingSince = waiting == 0 ? null : _waitingSince ?? clock.Now();
        status.Waiting(waiting, _waitingSince);
    }

    private Log.PublishedCheckpoint? Due(long anchored)
    {
        var latest = checkpoints.Latest(_shard);
        var due = latest is not null && latest.Checkpoint.Size > anchored
            && _waitingSince is { } since
            && (status.LeavesWaiting >= options.Value.LeavesMax
                || clock.Now() - since >= TimeSpan.FromMilliseconds(options.Value.IntervalMs));
        return due ? latest : null;
    }

    private async Task PrepareAsync(
        Log.PublishedCheckpoint latest, long anchored, AnchorChain chain, Keypair key, CancellationToken ct)
    {
        var checkpoint = latest.Checkpoint;
        var prepared = new AnchorPrepared(
            _shard, checkpoint.Size, checkpoint.Root.ToBase64(), System.Text.Encoding.UTF8.GetString(latest.Note),
            chain.GenesisHash, key.PublicKey.Key, clock.Now());
        await CommitAsync(checkpoint.Size, state => AnchorDecider.Prepare(state, anchored, prepared), ct);
        _waitingSince = null;
    }

    /// <summary>One step of an anchor that is under way.</summary>
    private async Task DriveAsync(AnchorView anchor, AnchorChain chain, CancellationToken ct)
    {
        if (anchor.GenesisHash != chain.GenesisHash)
            throw new WrongClusterException(anchor.GenesisHash, chain.GenesisHash);
        switch (anchor.Stage)
        {
            case AnchorStage.Prepared:
                if (await chain.FundAsync(ct) == 0)
                    throw new AnchorRefusedException($"The anchor wallet {anchor.Payer} holds no SOL for fees; send some.");
                var fresh = await chain.SignAsync(anchor.Memo, clock.Now(), ct);
                await CommitAsync(anchor.Size, state => AnchorDecider.Sign(state!, fresh), ct);
                await SendAsync(anchor.Size, fresh.RawTransaction, chain, ct);
                break;
            case AnchorStage.Signed:
                await ResumeAsync(anchor, chain, ct);
                break;
            default:
                await WatchAsync(anchor, chain, ct);
                break;
        }
    }

    private async Task SendAsync(long size, string rawTransaction, AnchorChain chain, CancellationToken ct)
    {
        if (await chain.SendAsync(rawTransaction, ct))
            await CommitAsync(size, state => AnchorDecider.Submit(state!, clock.Now()), ct);
    }

    /// <summary>Signed before a crash or a fault: look first, then send the same bytes.</summary>
    private async Task ResumeAsync(AnchorView anchor, AnchorChain chain, CancellationToken ct)
    {
        if (await ExpireAsync(anchor, chain, ct))
            return;
        var raw = await RawAsync(anchor.Size, ct);
        await SendAsync(anchor.Size, raw, chain, ct);
    }

    private async Task WatchAsync(AnchorView anchor, AnchorChain chain, CancellationToken ct)
    {
        var sighting = await chain.SightAsync(anchor.Signature!, ct);
        await CommitAsync(anchor.Size, state => AnchorDecider.Observe(state!, sighting, clock.Now()), ct);
        if (sighting is { Stage: AnchorStage.Finalized, Error: null }
            && await chain.ReadAsync(anchor.Signature!, ct) is { } record)
        {
            await CommitAsync(anchor.Size, state => AnchorDecider.Finalize(state!, record, clock.Now()), ct);
            LogAnchored(anchor.Size, anchor.Signature!, record.Slot);
        }
        else if (sighting is null && !await ExpireAsync(anchor, chain, ct))
        {
            // Dropped or on its way: the same bytes again do no harm.
            await chain.SendAsync(await RawAsync(anchor.Size, ct), ct);
        }
    }

    private async Task<bool> ExpireAsync(AnchorView anchor, AnchorChain chain, CancellationToken ct)
    {
        if (await chain.HeightWithoutAsync(anchor.Signature!, ct) is not { } height)
            return false;
        return await CommitAsync(anchor.Size, state => AnchorDecider.Expire(state!, height, clock.Now()), ct) > 0;
    }

    private async Task<string> RawAsync(long size, CancellationToken ct)
    {
        await using var query = sessions.Query(ShardRole.Global);
        var state = await query.Events.AggregateStreamAsync<AnchorState>(AnchorState.StreamOf(_shard, size), token: ct);
        return state!.RawTransaction!;
    }

    private async Task<int> CommitAsync(long size, Func<AnchorState?, Decision> decide, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Global, Network);
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
}

/// <summary>An anchor cannot go on until somebody acts; the message says what is wrong.</summary>
public sealed class AnchorRefusedException(string message) : Exception(message);
