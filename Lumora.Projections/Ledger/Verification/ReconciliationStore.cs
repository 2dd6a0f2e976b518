using System.Text.Json;
using Lumora.Domain.Kernel;
using Npgsql;
using NpgsqlTypes;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Where the reconciliation keeps what it derived so far: accounts, holds, reversals and sums at its position, in a schema
/// of its own. All of it can be dropped at any time; the next full pass makes it again.
/// </summary>
internal static class ReconciliationStore
{
    public const string Schema = "ledger_check";

    /// <summary>Whose turn it is, among all hosts: passes and the full pass that derives anew exclude each other.</summary>
    public const string LockKey = "hashtextextended('lumora/ledger_check', 0)";

    private const string LayoutLockKey = "hashtextextended('lumora/ledger_check/layout', 0)";

    // Rows that are needed only within a pass that found something survive no crash, and cost no log.
    private static readonly HashSet<string> WithinAPass = new(StringComparer.Ordinal) { "ledger_outcome", "ledger_entry", "ledger_time" };

    private const string OwnTablesSql =
        $"""
        create table {Schema}.position (
          shard text primary key, version bigint not null, account_count bigint not null, at timestamptz not null);
        create table {Schema}.status (
          shard text primary key, findings jsonb, since timestamptz, clean_at timestamptz, full_at timestamptz)
        """;

    // A release that changes a table of the ledger changes what is derived: then all of it is made again.
    private const string LayoutSql =
        """
        select coalesce(md5(string_agg(table_name || column_name || data_type, ',' order by table_name, ordinal_position)), '')
        from information_schema.columns where table_schema = $1 and table_name = any($2)
        """;

    /// <summary>Lays the schema out, anew when the ledger's tables have changed.</summary>
    public static async Task PrepareAsync(NpgsqlConnection connection, string shard, CancellationToken ct)
    {
        await using var turn = await connection.BeginTransactionAsync(ct);
        await LedgerShadow.ExecuteAsync(connection, $"select pg_advisory_xact_lock({LayoutLockKey})", ct);
        if (await LayoutAsync(connection, "public", ct) != await LayoutAsync(connection, Schema, ct))
        {
            var tables = LedgerShadow.Tables.Select(table =>
                $"create {(WithinAPass.Contains(table) ? "unlogged " : "")}table {Schema}.{table} (like public.{table})");
            var lookups = LedgerShadow.Lookups.Select(on => $"create unique index on {Schema}.{on.Table} ({on.Columns})");
            await LedgerShadow.ExecuteAsync(
                connection,
                string.Join(";", [$"drop schema if exists {Schema} cascade", $"create schema {Schema}", .. tables, .. lookups, OwnTablesSql]),
                ct);
        }

        await LedgerShadow.ExecuteAsync(
            connection, $"insert into {Schema}.position values ($1, 0, 0, 'epoch') on conflict do nothing", ct, LedgerParameters.Text(shard));
        await LedgerShadow.ExecuteAsync(
            connection, $"insert into {Schema}.status (shard) values ($1) on conflict do nothing", ct, LedgerParameters.Text(shard));
        await turn.CommitAsync(ct);
    }

    /// <summary>Where the passes stand; nobody else moves it before this transaction ends.</summary>
    public static async Task<JournalPosition> PositionAsync(NpgsqlConnection connection, string shard, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"select version, account_count, at from {Schema}.position where shard = $1 for update", connection);
        command.Parameters.Add(LedgerParameters.Text(shard));
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct)
            ? new JournalPosition(reader.GetInt64(0), reader.GetInt64(1), reader.GetFieldValue<DateTimeOffset>(2))
            : JournalPosition.Start;
    }

    /// <summary>Moves on to <paramref name="position"/>.</summary>
    public static Task SaveAsync(NpgsqlConnection connection, string shard, JournalPosition position, CancellationToken ct) =>
        LedgerShadow.ExecuteAsync(
            connection, $"update {Schema}.position set version = $2, account_count = $3, at = $4 where shard = $1", ct,
            LedgerParameters.Text(shard), LedgerParameters.Long(position.Version),
            LedgerParameters.Long(position.AccountCount), LedgerParameters.Time(position.At));

    /// <summary>Forgets what only a pass needs.</summary>
    public static Task ForgetPassAsync(NpgsqlConnection connection, CancellationToken ct) => LedgerShadow.ExecuteAsync(
        connection, string.Join(";", WithinAPass.Select(table => $"delete from {Schema}.{table}")), ct);

    /// <summary>Takes over what a full pass derived in this session.</summary>
    public static async Task SeedAsync(
        NpgsqlConnection connection, string shard, JournalPosition position, CancellationToken ct)
    {
        foreach (var table in LedgerShadow.Tables)
        {
            await LedgerShadow.ExecuteAsync(connection, $"truncate {Schema}.{table}", ct);
            if (!WithinAPass.Contains(table))
                await LedgerShadow.ExecuteAsync(
                    connection, $"insert into {Schema}.{table} select * from {LedgerShadow.TemporarySchema}.{table}", ct);
        }

        await SaveAsync(connection, shard, position, ct);
    }

    /// <summary>What is known, and when the last full pass began.</summary>
    public static async Task<(LedgerShardHealth Health, DateTimeOffset? FullAt)> StatusAsync(
        NpgsqlConnection connection, string shard, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select s.findings, s.since, s.clean_at, s.full_at, p.version
            from {Schema}.status s join {Schema}.position p on p.shard = s.shard where s.shard = $1
            """,
            connection);
        command.Parameters.Add(LedgerParameters.Text(shard));
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            return (LedgerShardHealth.Unknown, null);
        var found = reader.IsDBNull(0) ? null : JsonSerializer.Deserialize<FoundSummary>(reader.GetString(0), WireJson.Events);
        return (
            new LedgerShardHealth(
                found?.Counts ?? LedgerShardHealth.Unknown.Counts, found?.First ?? [], Time(reader, 1), Time(reader, 2), reader.GetInt64(4)),
            Time(reader, 3));
    }

    /// <summary>Takes the turn for a full pass when the last one began at <paramref name="dueBefore"/> or earlier.</summary>
    public static async Task<bool> ClaimFullAsync(
        NpgsqlConnection connection, string shard, DateTimeOffset dueBefore, DateTimeOffset now, CancellationToken ct) =>
        await LedgerShadow.ExecuteAsync(
            connection, $"update {Schema}.status set full_at = $3 where shard = $1 and (full_at is null or full_at <= $2)", ct,
            LedgerParameters.Text(shard), LedgerParameters.Time(dueBefore), LedgerParameters.Time(now)) > 0;

    /// <summary>Records what was found; findings that stand already stay when <paramref name="keep"/> is true.</summary>
    public static Task FoundAsync(
        NpgsqlConnection connection, string shard, FoundSummary found, bool keep, DateTimeOffset now, CancellationToken ct) =>
        LedgerShadow.ExecuteAsync(
            connection,
            $"""
            update {Schema}.status set findings = case when $4 then coalesce(findings, $2) else $2 end, since = coalesce(since, $3)
            where shard = $1
            """,
            ct, LedgerParameters.Text(shard),
            new NpgsqlParameter { Value = JsonSerializer.Serialize(found, WireJson.Events), NpgsqlDbType = NpgsqlDbType.Jsonb },
            LedgerParameters.Time(now), new NpgsqlParameter<bool> { TypedValue = keep });

    /// <summary>Records a clean full pass.</summary>
    public static Task CleanAsync(NpgsqlConnection connection, string shard, DateTimeOffset now, CancellationToken ct) =>
        LedgerShadow.ExecuteAsync(
            connection, $"update {Schema}.status set findings = null, since = null, clean_at = $2 where shard = $1", ct,
            LedgerParameters.Text(shard), LedgerParameters.Time(now));

    private static DateTimeOffset? Time(NpgsqlDataReader row, int ordinal) =>
        row.IsDBNull(ordinal) ? null : row.GetFieldValue<DateTimeOffset>(ordinal);

    private static async Task<string> LayoutAsync(NpgsqlConnection connection, string schema, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(LayoutSql, connection);
        command.Parameters.Add(LedgerParameters.Text(schema));
        command.Parameters.Add(LedgerParameters.Texts(LedgerShadow.Tables, table => table));
        return (string)(await command.ExecuteScalarAsync(ct))!;
    }
}

/// <summary>Findings of a pass: how many of each code, and the first ones.</summary>
internal sealed class FoundSummary
{
    private const int FirstMax = 10;

    /// <summary>By code.</summary>
    public Dictionary<string, long> Counts { get; init; } = new(StringComparer.Ordinal);

    /// <summary>At most 10.</summary>
    public List<LedgerFinding> First { get; init; } = [];

    public void Add(LedgerFinding finding)
    {
        Counts[finding.Code] = Counts.GetValueOrDefault(finding.Code) + 1;
        if (First.Count < FirstMax)
            First.Add(finding);
    }
}
