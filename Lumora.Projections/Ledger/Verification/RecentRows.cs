using Npgsql;
using static Lumora.Projections.Ledger.LedgerParameters;

namespace Lumora.Projections.Ledger;

/// <summary>What a pass derived.</summary>
/// <param name="Above">The events above this version …</param>
/// <param name="Position">… up to here,</param>
/// <param name="Head">of a journal that stands here in the pass's snapshot.</param>
/// <param name="Touched">What they touched.</param>
internal sealed record RecentRange(long Above, JournalPosition Position, long Head, JournalTouched Touched)
{
    /// <summary>Whether the tables are at the position, too.</summary>
    public bool IsAtHead => Position.Version == Head;
}

/// <summary>
/// Compares the rows that a pass derived with the tables, through the tables' keys alone: its cost follows the events, not
/// the ledger's size. The tables may be ahead: a row that a later event touched is left for that event's pass.
/// </summary>
internal static class RecentRows
{
    private const string Derived = ReconciliationStore.Schema;

    // "offset 0" keeps the planner from turning a look-up by key into a scan of the whole table.
    private const string StoredOutcomes =
        $"""
        (select o.* from {Derived}.ledger_outcome d
         cross join lateral (select * from public.ledger_outcome where id = d.id offset 0) o)
        """;

    private const string StoredTimes =
        $"""
        (select t.* from {Derived}.ledger_time d
         cross join lateral (select * from public.ledger_time where at = d.at offset 0) t)
        """;

    // All rows of the touched accounts in the range: one that no event made is seen, too.
    private const string StoredEntries =
        $"""
        (select e.* from (select distinct account from {Derived}.ledger_entry) d cross join lateral (
           select * from public.ledger_entry where account = d.account and journal_version > $1 and journal_version <= $2 offset 0) e)
        """;

    /// <summary>Reports what differs.</summary>
    public static async Task CompareAsync(
        NpgsqlConnection connection, RecentRange range, DerivedHistory history, FindingSink findings, CancellationToken ct)
    {
        if (!await history.IsStoredAsync(connection, range, ct))
            await ReportHistoryAsync();
        await ReportAsync(
            "ledger_account", Touched("ledger_account", Derived), Touched("ledger_account", "public"), "coalesce(a.version, 0) <= $2",
            Longs(range.Touched.Accounts, number => number), Long(range.Position.Version));
        await ReportAsync(
            "ledger_hold", Touched("ledger_hold", Derived), Touched("ledger_hold", "public"), "coalesce(a.version, 0) <= $2",
            Longs(range.Touched.Holds, number => number), Long(range.Position.Version));
        await ReportAsync(
            "ledger_reversal", Reversed(Derived), Reversed("public"),
            range.IsAtHead ? "true" : "(a.amount is null or a.amount < e.amount)",
            Longs(range.Touched.Movements, version => version));
        if (range.IsAtHead)
            await ReportAsync("ledger_roll_up", $"{Derived}.ledger_roll_up", "public.ledger_roll_up", "true");

        // Which rows they are the database says best.
        async Task ReportHistoryAsync()
        {
            await history.WriteAsync(connection, ct);
            await ReportAsync(
                "ledger_entry", $"{Derived}.ledger_entry", StoredEntries, "true", Long(range.Above), Long(range.Position.Version));
            await ReportAsync("ledger_outcome", $"{Derived}.ledger_outcome", StoredOutcomes, "true");
            // The ledger's last time may go on behind the pass.
            await ReportAsync(
                "ledger_time", $"{Derived}.ledger_time", StoredTimes, range.IsAtHead ? "true" : "e.at < $1", Time(range.Position.At));
            await ReconciliationStore.ForgetPassAsync(connection, ct);
        }

        Task ReportAsync(string name, string expected, string actual, string also, params NpgsqlParameter[] parameters)
        {
            var table = ComparedTable.Of(name);
            return LedgerFindingQueries.ReportAsync(
                connection, findings, table.Code, table.DifferencesSql(expected, actual, also), ct, parameters);
        }
    }

    private static string Touched(string table, string schema) =>
        $"(select t.* from unnest($1) as k(number) cross join lateral (select * from {schema}.{table} where number = k.number offset 0) t)";

    private static string Reversed(string schema) =>
        $"(select r.* from unnest($1) as k(version) cross join lateral (select * from {schema}.ledger_reversal where journal_version = k.version offset 0) r)";
}
