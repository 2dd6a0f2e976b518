using System.Data;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>Bounds of a verification.</summary>
public sealed record LedgerInspectionOptions
{
    /// <summary>Journal events that are replayed at once. 1 to 100,000, default 10,000.</summary>
    public int ChunkEvents { get; init; } = 10_000;

    /// <summary>Accounts in memory between chunks, some 300 bytes each. Default 300,000; more are kept in the database.</summary>
    public int AccountsInMemoryMax { get; init; } = 300_000;

    /// <summary>Events replayed in a second, so that others get their turn; 0 = as fast as possible, the default.</summary>
    public int EventsPerSecondMax { get; init; }

    /// <summary>Findings after which a verification ends. Default 1,000,000.</summary>
    public int FindingsMax { get; init; } = 1_000_000;

    /// <summary>Databases of other shards that are here, by shard: for the clearing pairs. Default none.</summary>
    public IReadOnlyDictionary<string, NpgsqlDataSource> Peers { get; init; } = new Dictionary<string, NpgsqlDataSource>(StringComparer.Ordinal);
}

/// <summary>
/// One full verification: derives all tables of a ledger from its journal again, into temporary tables of a session of
/// its own, and compares every row, in one snapshot. The ledger may work meanwhile. The journal never changes behind its
/// head, so most of it is replayed before the snapshot is taken: a snapshot held for long would keep the ledger's hottest
/// rows from being cleaned up.
/// </summary>
public sealed class LedgerInspection(NpgsqlDataSource source, string shard, LedgerInspectionOptions? options = null)
{
    private readonly LedgerInspectionOptions _options = options ?? new LedgerInspectionOptions();

    /// <summary>Verifies and returns how many events the journal has.</summary>
    /// <param name="found">Hears each finding as it is found; called one at a time.</param>
    /// <param name="progress">Hears how far the replay is.</param>
    /// <param name="ct">Gives up.</param>
    public Task<long> RunAsync(Action<LedgerFinding> found, Action<LedgerProgress>? progress, CancellationToken ct) =>
        RunAsync(found, progress, then: null, ct);

    /// <summary>As above; <paramref name="then"/> may use the derived tables in the snapshot when nothing was found.</summary>
    internal async Task<long> RunAsync(
        Action<LedgerFinding> found, Action<LedgerProgress>? progress,
        Func<NpgsqlConnection, JournalPosition, Task>? then, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        try
        {
            await LedgerShadow.CreateTemporaryAsync(connection, ct);
            var findings = new FindingSink(found, _options.FindingsMax);
            var replay = new JournalReplay(
                connection, shard, JournalPosition.Start, _options.AccountsInMemoryMax, findings);
            var run = new JournalRun(connection, shard, replay, _options, progress);
            await run.ReplayMostAsync(ct);

            await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
            var head = await run.ReplayRestAsync(ct);
            await CompareAsync(connection, replay, findings, ct);
            if (then is not null && findings.Count == 0)
                await then(connection, replay.Position);
            await snapshot.CommitAsync(ct);
            return head;
        }
        finally
        {
            await LedgerShadow.DiscardAsync(connection);
        }
    }

    private async Task CompareAsync(
        NpgsqlConnection connection, JournalReplay replay, FindingSink findings, CancellationToken ct)
    {
        // Hash joins and sorts of whole tables: more memory than the default, for this transaction, still bounded.
        await LedgerShadow.ExecuteAsync(connection, "set local work_mem = '64MB'", ct);
        // What a replay derived that gave up compares with nothing.
        if (!replay.Stopped)
        {
            await LedgerShadow.AnalyzeAsync(connection, LedgerShadow.TemporarySchema, ct);
            await LedgerInvariants.CheckDuplicatesAsync(connection, findings, ct);
            foreach (var table in ComparedTable.All)
                await LedgerFindingQueries.ReportAsync(
                    connection, findings, table.Code,
                    table.DifferencesSql($"{LedgerShadow.TemporarySchema}.{table.Table}", $"public.{table.Table}"), ct);
            await LedgerInvariants.CheckHeadAsync(connection, shard, replay.Position, findings, ct);
        }

        await LedgerInvariants.CheckAsync(connection, shard, findings, ct);
        await LedgerInvariants.CheckClearingAsync(connection, shard, _options.Peers, findings, ct);
    }
}
