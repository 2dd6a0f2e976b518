using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lumora.Chain.Anchoring;

/// <summary>
/// Records the checkpoints of region shards in the global log at the anchor's cadence, so that one anchor covers all logs. Needs
/// no chain. What is recorded extends what was recorded before; a second host that is late changes nothing.
/// </summary>
public sealed partial class RegionCheckpointWorker(
    ShardSessions sessions, ShardLogs logs, IPublishedCheckpoints checkpoints, IOptions<AnchoringOptions> options,
    TimeProvider clock, ILogger<RegionCheckpointWorker> logger)
    : BackgroundService
{
    private static readonly Actor Recorder = Actor.System("anchoring");
    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    private readonly string _global = sessions.ShardOf(ShardRole.Global);

    private TimeSpan Poll => TimeSpan.FromMilliseconds(options.Value.PollMs);

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        logs.All.Where(log => log.Shard != _global).Select(log => FollowAsync(log, stoppingToken)));

    private async Task FollowAsync(ShardLog log, CancellationToken ct)
    {
        await Task.Yield();
        var backlog = new LeafBacklog(checkpoints, log.Shard);
        while (!ct.IsCancellationRequested)
        {
            var pause = Poll;
            try
            {
                await StepAsync(log, backlog, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is NpgsqlException or AnchorRefusedException or VerificationException
                or FormatException or TileMissingException or IOException
                or JasperFx.ConcurrencyException or Marten.Exceptions.MartenCommandException)
            {
                LogFault(log.Shard, fault.Message);
                pause = FaultPause;
            }

            await Task.Delay(pause, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task StepAsync(ShardLog log, LeafBacklog backlog, CancellationToken ct)
    {
        RegionCheckpoint? newest;
        await using (var query = sessions.Query(ShardRole.Global))
            newest = await query.LoadAsync<RegionCheckpoint>(RegionCheckpoint.StreamOf(log.Shard), ct);
        await backlog.LookAsync(newest?.Size ?? 0, ct);
        if (!backlog.IsDue(options.Value, clock.GetUtcNow()) || checkpoints.Latest(log.Shard) is not { } latest
            || latest.Checkpoint.Size <= (newest?.Size ?? 0))
            return;
        if (newest is not null)
            await CheckExtendsAsync(log, newest, latest.Checkpoint, ct);
        await CosignedNotes.KeepAsync(log.Blobs, latest, ct);
        await RecordAsync(latest, ct);
    }

    /// <summary>A fork of a region's log must not come under an anchor as if it were one log.</summary>
    private static async Task CheckExtendsAsync(ShardLog log, RegionCheckpoint newest, Checkpoint latest, CancellationToken ct)
    {
        var old = Checkpoint.Parse(SignedNote.Parse(System.Text.Encoding.UTF8.GetBytes(newest.Note)).Text);
        var proof = await new TreeReader(new BlobTiles(log.Blobs), latest.Size).ConsistencyAsync(old.Size, ct);
        ProofVerifier.VerifyConsistency(old.Size, old.Root, latest.Size, latest.Root, proof);
    }

    private async Task RecordAsync(PublishedCheckpoint latest, CancellationToken ct)
    {
        var recorded = new CheckpointRecorded(
            latest.Shard, latest.Checkpoint.Size, latest.Checkpoint.Root.ToBase64(),
            System.Text.Encoding.UTF8.GetString(latest.Note), clock.Now());
        await using var session = sessions.Open(ShardRole.Global, Recorder);
        var stream = await session.Events.FetchForWriting<RegionCheckpoint>(RegionCheckpoint.StreamOf(latest.Shard), ct);
        switch (RegionCheckpointDecider.Record(stream.Aggregate, _global, recorded))
        {
            case Decision.Accepted { Events.Count: > 0 } accepted:
                stream.AppendMany([.. accepted.Events]);
                await session.SaveChangesAsync(ct);
                break;
            case Decision.Rejected rejected:
                throw new AnchorRefusedException($"{rejected.Reason.Code}: {rejected.Reason.Message}");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The checkpoint of shard {Shard} is not recorded yet: {Reason}")]
    private partial void LogFault(string shard, string reason);
}
