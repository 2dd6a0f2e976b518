using Npgsql;
using Weasel.Core;
using Weasel.Postgresql;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Empty copies of the ledger's tables that a replay fills. The replay names tables without a schema and finds the
/// copies first on the session's search path; the real ones are always named <c>public.…</c>.
/// </summary>
internal static class LedgerShadow
{
    /// <summary>Where a rebuild prepares the new tables.</summary>
    public const string RebuildSchema = "ledger_rebuild";

    /// <summary>The session's own schema.</summary>
    public const string TemporarySchema = "pg_temp";

    /// <summary>How long one statement may take, in seconds: an hour is 100 million rows on a slow disk.</summary>
    public const int SecondsMax = 3_600;

    /// <summary>The tables that a replay fills; the fence is one row and stays.</summary>
    public static IReadOnlyList<string> Tables { get; } =
        ["ledger_account", "ledger_outcome", "ledger_entry", "ledger_hold", "ledger_reversal", "ledger_roll_up", "ledger_time"];

    /// <summary>What a replay looks rows up by; nothing else of the real tables' indexes is needed to compare them.</summary>
    public static IReadOnlyList<(string Table, string Columns, bool Unique)> Lookups { get; } =
    [
        ("ledger_account", "number", true), ("ledger_account", "code, asset", true), ("ledger_hold", "number", true),
        ("ledger_reversal", "journal_version, posting", true), ("ledger_roll_up", "prefix, asset", true),
        ("ledger_time", "at", true),
    ];

    /// <summary>Makes copies that only this session sees.</summary>
    public static Task CreateTemporaryAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var create = Tables.Select(table => $"create temp table {table} (like public.{table})");
        var index = Lookups.Select(on => $"create unique index on pg_temp.{on.Table} ({on.Columns})");
        return ExecuteAsync(connection, string.Join(";", [.. create, .. index, "set search_path = pg_temp, public"]), ct);
    }

    /// <summary>Makes full tables, with the constraints and indexes, under the names, that the store's schema has.</summary>
    public static async Task CreateForRebuildAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        using var sql = new StringWriter();
        await sql.WriteLineAsync($"drop schema if exists {RebuildSchema} cascade; create schema {RebuildSchema};");
        foreach (var table in LedgerStore.Tables().Where(table => Tables.Contains(table.Identifier.Name, StringComparer.Ordinal)))
        {
            table.MoveToSchema(RebuildSchema);
            table.WriteCreateStatement(new PostgresqlMigrator { Formatting = SqlFormatting.Concise }, sql);
        }

        await sql.WriteLineAsync($"set search_path = {RebuildSchema}, public;");
        await ExecuteAsync(connection, sql.ToString(), ct);
    }

    /// <summary>Tells the planner how full the copies are.</summary>
    public static Task AnalyzeAsync(NpgsqlConnection connection, string schema, CancellationToken ct) =>
        ExecuteAsync(connection, string.Join(";", Tables.Select(table => $"analyze {schema}.{table}")), ct);

    /// <summary>Gives the session back as it was: copies of its own are gone, so is the search path.</summary>
    public static async Task DiscardAsync(NpgsqlConnection connection)
    {
        if (connection.State == System.Data.ConnectionState.Open)
            await ExecuteAsync(connection, "discard all", CancellationToken.None);
    }

    /// <summary>Runs <paramref name="sql"/>.</summary>
    public static async Task<int> ExecuteAsync(
        NpgsqlConnection connection, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = SecondsMax };
        command.Parameters.AddRange(parameters);
        return await command.ExecuteNonQueryAsync(ct);
    }
}
