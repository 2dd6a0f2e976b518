using System.Globalization;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>A place where the tables and the journal disagree.</summary>
/// <param name="Code">What kind: <c>account</c>, <c>outcome</c>, <c>entry</c>, <c>fence</c>, <c>journal</c>, <c>sum</c>.</param>
/// <param name="Where">Which one.</param>
/// <param name="Expected">What the journal says; empty = it should not exist.</param>
/// <param name="Actual">What the table says; empty = it is missing.</param>
public sealed record LedgerFinding(string Code, string Where, string Expected, string Actual);

/// <summary>What a verification saw.</summary>
/// <param name="Events">Journal events replayed.</param>
/// <param name="Findings">Differences, at most <see cref="LedgerVerifier.FindingsMax"/>; none = the ledger is sound.</param>
public sealed record LedgerVerification(long Events, IReadOnlyList<LedgerFinding> Findings);

/// <summary>
/// Derives balances, outcomes and entries from the journal again, by the same fold that made them, and compares them
/// with the tables in one snapshot. Holds all of it in memory: meant for tests and for journals of a few million events.
/// </summary>
public sealed class LedgerVerifier(ShardSessions sessions)
{
    /// <summary>Findings kept.</summary>
    public const int FindingsMax = 100;

    private static readonly Dictionary<string, Type> EventTypes =
        EventCatalog.All.ToDictionary(pair => pair.Name, pair => pair.Type, StringComparer.Ordinal);

    /// <summary>Verifies the ledger of the shard that plays <paramref name="role"/>.</summary>
    public async Task<LedgerVerification> VerifyAsync(ShardRole role, CancellationToken ct)
    {
        var shard = sessions.ShardOf(role);
        await using var connection = await sessions.DataSource(role).OpenConnectionAsync(ct);
        await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        var findings = new List<LedgerFinding>();
        var (state, entries) = await ReplayAsync(connection, shard, findings, ct);

        Compare(findings, "account", ByName(state.Accounts, a => Name(a.Number)), await ReadAsync(
            connection, $"select {LedgerRows.AccountColumns} from ledger_account", LedgerRows.Account, a => Name(a.Number), ct));
        Compare(findings, "outcome", ByName(state.Outcomes, o => $"{o.Id}"), await ReadAsync(
            connection, $"select {LedgerRows.OutcomeColumns} from ledger_outcome", LedgerRows.Outcome,
            o => $"{o.Id}", ct));
        Compare(findings, "entry", ByName(entries, NameOf), await ReadAsync(
            connection, "select account, journal_version, line, amount, balance from ledger_entry", LedgerRows.Entry,
            NameOf, ct));
        Compare(
            findings, "fence", One(shard, (state.Version, state.AccountCount, state.At)),
            await ReadAsync(
                connection, "select journal_version, account_count, at from ledger_fence",
                row => (row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<DateTimeOffset>(2)), _ => shard, ct));
        foreach (var asset in state.Accounts.GroupBy(account => account.Key.Asset, StringComparer.Ordinal))
        {
            var sum = asset.Aggregate(Int128.Zero, (total, account) => total + account.Balance);
            if (sum != 0)
                findings.Add(new LedgerFinding("sum", asset.Key, "0", sum.ToString(CultureInfo.InvariantCulture)));
        }

        return new LedgerVerification(state.Version, [.. findings.Take(FindingsMax)]);
    }

    private static async Task<(LedgerState State, List<LedgerEntry> Entries)> ReplayAsync(
        NpgsqlConnection connection, string shard, List<LedgerFinding> findings, CancellationToken ct)
    {
        var (state, entries) = (new LedgerState(at: DateTimeOffset.UnixEpoch, keepMovements: true), new List<LedgerEntry>());
        await using var command = new NpgsqlCommand(
            "select version, user_name, timestamp, type, data from mt_events where stream_id = $1 order by version",
            connection);
        command.Parameters.Add(new NpgsqlParameter { Value = LedgerJournal.StreamId(shard) });
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var version = reader.GetInt64(0);
            try
            {
                var data = JsonSerializer.Deserialize(
                    reader.GetString(4), EventTypes[reader.GetString(3)], WireJson.Events)!;
                entries.AddRange(state.Apply(new JournalEvent(
                    version, reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), data)));
            }
            catch (Exception e) when (e is InvariantViolationException or JsonException or KeyNotFoundException or OverflowException)
            {
                findings.Add(new LedgerFinding("journal", Name(version), "an event that follows", e.Message));
                break;
            }
        }

        return (state, entries);
    }

    private static async Task<Dictionary<string, T>> ReadAsync<T>(
        NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, Func<T, string> name, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new Dictionary<string, T>(StringComparer.Ordinal);
        while (await reader.ReadAsync(ct))
        {
            var row = read(reader);
            rows[name(row)] = row;
        }

        return rows;
    }

    private static void Compare<T>(
        List<LedgerFinding> findings, string code, Dictionary<string, T> expected, Dictionary<string, T> actual)
    {
        foreach (var (where, row) in expected)
        {
            if (!actual.Remove(where, out var stored))
                findings.Add(new LedgerFinding(code, where, $"{row}", ""));
            else if (!EqualityComparer<T>.Default.Equals(row, stored))
                findings.Add(new LedgerFinding(code, where, $"{row}", $"{stored}"));
        }

        foreach (var (where, row) in actual)
            findings.Add(new LedgerFinding(code, where, "", $"{row}"));
    }

    private static Dictionary<string, T> ByName<T>(IEnumerable<T> rows, Func<T, string> name) =>
        rows.ToDictionary(name, StringComparer.Ordinal);

    private static Dictionary<string, T> One<T>(string name, T value) => new(StringComparer.Ordinal) { [name] = value };

    private static string Name(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string NameOf(LedgerEntry entry) => string.Create(
        CultureInfo.InvariantCulture, $"{entry.Account}/{entry.JournalVersion}/{entry.Line}");
}
