using System.Diagnostics;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Drives a replay to the end of a journal that may grow meanwhile: most of it outside any transaction, the rest inside
/// the caller's.
/// </summary>
internal sealed class JournalRun(
    NpgsqlConnection connection, string shard, JournalReplay replay, LedgerInspectionOptions options,
    Action<LedgerProgress>? progress)
{
    // A ledger that works faster than the replay is never caught up with outside a transaction.
    private const int CatchUpsMax = 10;

    /// <summary>Replays until less than a chunk is left.</summary>
    public async Task ReplayMostAsync(CancellationToken ct)
    {
        for (var i = 0; i < CatchUpsMax && !replay.Stopped; i++)
        {
            var head = await JournalReplay.HeadAsync(connection, shard, ct);
            if (head - replay.Position.Version < options.ChunkEvents)
                return;
            await ReplayToAsync(head, ct);
        }
    }

    /// <summary>Replays to the end, writes what was kept in memory, and returns the journal's head.</summary>
    public async Task<long> ReplayRestAsync(CancellationToken ct)
    {
        var head = await JournalReplay.HeadAsync(connection, shard, ct);
        await ReplayToAsync(head, ct);
        await replay.FlushAsync(ct);
        return head;
    }

    private async Task ReplayToAsync(long head, CancellationToken ct)
    {
        while (replay.Position.Version < head && !replay.Stopped)
        {
            var (started, before) = (Stopwatch.GetTimestamp(), replay.Position.Version);
            await replay.ReplayAsync(Math.Min(before + options.ChunkEvents, head), ct);
            progress?.Invoke(new LedgerProgress(replay.Position.Version, head));
            await PauseAsync(replay.Position.Version - before, Stopwatch.GetElapsedTime(started), ct);
        }
    }

    private Task PauseAsync(long events, TimeSpan took, CancellationToken ct)
    {
        if (options.EventsPerSecondMax <= 0)
            return Task.CompletedTask;
        // A gap in the versions is no work that was done.
        var rest = TimeSpan.FromSeconds((double)Math.Min(events, options.ChunkEvents) / options.EventsPerSecondMax) - took;
        return rest > TimeSpan.Zero ? Task.Delay(rest, ct) : Task.CompletedTask;
    }
}
