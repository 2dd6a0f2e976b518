using Lumora.Domain.Ledger;
using Npgsql;
using static Lumora.Projections.Ledger.LedgerParameters;

namespace Lumora.Projections.Ledger;

/// <summary>What a replay derived of the rows that no later event changes.</summary>
internal sealed class DerivedHistory
{
    internal const string EntriesSql =
        """
        select e.* from unnest($1) as touched(account) cross join lateral (
          select account, journal_version, line, amount, balance from public.ledger_entry
          where account = touched.account and journal_version > $2 and journal_version <= $3 offset 0) e
        """;

    // Row by row through the key: for many at once the planner would read the whole table.
    internal const string OutcomesSql =
        $"""
        select o.* from unnest($1) as touched(id) cross join lateral (
          select {LedgerRows.OutcomeColumns} from public.ledger_outcome where id = touched.id offset 0) o
        """;

    internal const string TimesSql =
        """
        select t.* from unnest($1) as touched(at) cross join lateral (
          select at, journal_version from public.ledger_time where at = touched.at offset 0) t
        """;

    public List<RecordedOutcome> Outcomes { get; } = [];

    public List<LedgerEntry> Entries { get; } = [];

    /// <summary>The last journal version at each of the ledger's times.</summary>
    public List<(DateTimeOffset At, long Version)> Moments { get; } = [];

    /// <summary>Adds all of it to the session's shadow tables.</summary>
    public async Task WriteAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await LedgerCopy.OutcomesAsync(connection, Outcomes, ct);
        if (Entries.Count > 0)
            await LedgerCopy.EntriesAsync(connection, Entries, ct);
        if (Moments.Count > 0)
            await LedgerCopy.TimesAsync(connection, Moments, ct);
    }

    /// <summary>
    /// Whether the ledger's tables hold exactly this, of the events in <paramref name="range"/>: for each touched account,
    /// key and time. Read through the tables' keys and compared here, where the other side is already.
    /// </summary>
    public async Task<bool> IsStoredAsync(NpgsqlConnection connection, RecentRange range, CancellationToken ct)
    {
        var accounts = Entries.Select(entry => entry.Account).Distinct().ToList();
        // The ledger's last time may go on behind the pass.
        var times = range.IsAtHead ? Moments : Moments.FindAll(time => time.At < range.Position.At);
        return await IsSameAsync(
                connection, Entries, LedgerRows.Entry, EntriesSql, ct,
                Longs(accounts, account => account), Long(range.Above), Long(range.Position.Version))
            && await IsSameAsync(
                connection, Outcomes, LedgerRows.Outcome, OutcomesSql, ct, Uuids(Outcomes, outcome => outcome.Id))
            && await IsSameAsync(
                connection, times, row => (row.GetFieldValue<DateTimeOffset>(0), row.GetInt64(1)), TimesSql, ct,
                Times(times, time => time.At));
    }

    private static async Task<bool> IsSameAsync<T>(
        NpgsqlConnection connection, List<T> expected, Func<NpgsqlDataReader, T> read, string sql, CancellationToken ct,
        params NpgsqlParameter[] parameters)
    {
        if (expected.Count == 0)
            return true;
        var missing = expected.ToHashSet();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = LedgerShadow.SecondsMax };
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            if (!missing.Remove(read(reader)))
                return false;
        }

        return missing.Count == 0;
    }
}
