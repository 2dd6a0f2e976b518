using System.Data;
using Lumora.Domain.Kernel;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Compares a working ledger with its journal: what is new since the last pass in small steps, and all of it in a full
/// pass from time to time. What it sees is stored, so that all hosts know it and a restart forgets nothing; a difference
/// stands until a full pass is clean.
/// </summary>
public sealed class LedgerReconciler(
    NpgsqlDataSource source, string shard, LedgerReconciliationOptions options, TimeProvider clock,
    IReadOnlyDictionary<string, NpgsqlDataSource> peers)
{
    private const int FindingsMax = 1_000;

    /// <summary>The shard.</summary>
    public string Shard => shard;

    /// <summary>Lays out what the passes need.</summary>
    public async Task PrepareAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await ReconciliationStore.PrepareAsync(connection, shard, ct);
    }

    /// <summary>What is known.</summary>
    public async Task<LedgerShardHealth> StatusAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return (await ReconciliationStore.StatusAsync(connection, shard, ct)).Health;
    }

    /// <summary>
    /// Derives the next events and compares what they touched, as it stands now; returns how many there were. What was
    /// touched again meanwhile is compared when that is derived. 0 also when another host is at it.
    /// </summary>
    public async Task<long> PassAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        var found = new FoundSummary();
        long events;
        try
        {
            await LedgerShadow.ExecuteAsync(connection, $"set search_path = {ReconciliationStore.Schema}, public", ct);
            await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
            events = await PassAsync(connection, new FindingSink(found.Add, FindingsMax), ct);
            await snapshot.CommitAsync(ct);
        }
        // Another host was faster: its pass stands for this one.
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.SerializationFailure)
        {
            return 0;
        }
        finally
        {
            await LedgerShadow.DiscardAsync(connection);
        }

        if (found.Counts.Count > 0)
            await ReconciliationStore.FoundAsync(connection, shard, found, keep: true, clock.Now(), ct);
        return events;
    }

    /// <summary>Verifies all of the journal when it is time to; false when it is not, or another host does it.</summary>
    public async Task<bool> FullPassAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        var (known, _) = await ReconciliationStore.StatusAsync(connection, shard, ct);
        var now = clock.Now();
        var interval = known.Differs ? options.FullIntervalAfterFindings : options.FullInterval;
        if (!await ReconciliationStore.ClaimFullAsync(connection, shard, now - interval, now, ct))
            return false;
        // What the passes derived is as suspect as the rest once something differs, and far behind not worth going on from.
        var behind = await JournalReplay.HeadAsync(connection, shard, ct) - known.Version;
        var anew = known.Differs || behind > options.ChunkEvents;
        if (anew)
            await LedgerShadow.ExecuteAsync(connection, $"select pg_advisory_lock({ReconciliationStore.LockKey})", ct);
        try
        {
            await VerifyAsync(connection, anew, ct);
        }
        finally
        {
            await LedgerShadow.DiscardAsync(connection);
        }

        return true;
    }

    private async Task VerifyAsync(NpgsqlConnection connection, bool anew, CancellationToken ct)
    {
        var found = new FoundSummary();
        var inspection = new LedgerInspection(source, shard, new LedgerInspectionOptions
        {
            ChunkEvents = options.ChunkEvents,
            EventsPerSecondMax = options.EventsPerSecondMax,
            AccountsInMemoryMax = options.AccountsInMemoryMax,
            FindingsMax = FindingsMax,
            Peers = peers,
        });
        Func<NpgsqlConnection, JournalPosition, Task>? seed = anew
            ? (session, position) => ReconciliationStore.SeedAsync(session, shard, position, ct)
            : null;
        await inspection.RunAsync(found.Add, progress: null, seed, ct);
        if (found.Counts.Count == 0)
            await ReconciliationStore.CleanAsync(connection, shard, clock.Now(), ct);
        else
            await ReconciliationStore.FoundAsync(connection, shard, found, keep: false, clock.Now(), ct);
    }

    private async Task<long> PassAsync(NpgsqlConnection connection, FindingSink findings, CancellationToken ct)
    {
        await using var turn = new NpgsqlCommand($"select pg_try_advisory_xact_lock({ReconciliationStore.LockKey})", connection);
        if (await turn.ExecuteScalarAsync(ct) is not true)
            return 0;
        var start = await ReconciliationStore.PositionAsync(connection, shard, ct);
        var head = await JournalReplay.HeadAsync(connection, shard, ct);
        var to = Math.Min(start.Version + options.ChunkEvents, head);
        var history = new DerivedHistory();
        var replay = new JournalReplay(connection, shard, start, options.AccountsInMemoryMax, findings, history);
        if (to > start.Version)
        {
            var touched = await replay.ReplayAsync(to, ct);
            await replay.FlushAsync(ct);
            await RecentRows.CompareAsync(
                connection, new RecentRange(start.Version, replay.Position, head, touched), history, findings, ct);
            await ReconciliationStore.SaveAsync(connection, shard, replay.Position, ct);
        }

        if (head < start.Version)
            findings.Add(LedgerFindingCodes.JournalGap, $"{head + 1}-{start.Version}", "every version once", "");
        if (replay.Position.Version == head)
            await LedgerInvariants.CheckHeadAsync(connection, shard, replay.Position, findings, ct);
        await LedgerInvariants.CheckRollUpSumAsync(connection, findings, ct);
        return replay.Position.Version - start.Version;
    }
}
