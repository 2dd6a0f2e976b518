using System.Globalization;
using System.Text.Json;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>How PostgreSQL ran a query.</summary>
/// <param name="Buffers">Pages of 8 KiB that it touched.</param>
/// <param name="Rows">Rows that came back.</param>
/// <param name="Milliseconds">What it took; for people, not for tests.</param>
/// <param name="Scans">Nodes that read a table, as <c>Index Scan ledger_entry</c>.</param>
/// <param name="Text">All of it.</param>
internal sealed record ExplainedPlan(
    long Buffers, double Rows, double Milliseconds, IReadOnlyList<string> Scans, string Text)
{
    /// <summary>
    /// Runs <paramref name="query"/> as a prepared statement under <paramref name="mode"/> (<c>force_custom_plan</c> or
    /// <c>force_generic_plan</c>) and explains it.
    /// </summary>
    public static async Task<ExplainedPlan> OfAsync(
        NpgsqlDataSource source, SqlQuery query, string mode, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        // The second run counts: the first pays for reading the catalogue.
        await RunAsync(connection, $"set plan_cache_mode = {mode}", ct);
        await RunAsync(
            connection, $"prepare asked ({string.Join(", ", query.Values.Select(TypeOf))}) as {query.Sql}", ct);
        var explain =
            $"explain (analyze, buffers, format json) execute asked ({string.Join(", ", query.Values.Select(LiteralOf))})";
        await RunAsync(connection, explain, ct);
        var text = (string)(await RunAsync(connection, explain, ct))!;
        await RunAsync(connection, "deallocate asked; reset plan_cache_mode", ct);

        var explained = JsonDocument.Parse(text).RootElement[0];
        var plan = explained.GetProperty("Plan");
        var buffers = plan.GetProperty("Shared Hit Blocks").GetInt64() + plan.GetProperty("Shared Read Blocks").GetInt64();
        return new ExplainedPlan(
            buffers, plan.GetProperty("Actual Rows").GetDouble(), explained.GetProperty("Execution Time").GetDouble(),
            [.. ScansOf(plan)], text);
    }

    private static async Task<object?> RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(ct);
    }

    private static IEnumerable<string> ScansOf(JsonElement node)
    {
        if (node.TryGetProperty("Relation Name", out var relation))
            yield return $"{node.GetProperty("Node Type").GetString()} {relation.GetString()}";
        if (!node.TryGetProperty("Plans", out var children))
            yield break;
        foreach (var scan in children.EnumerateArray().SelectMany(ScansOf))
            yield return scan;
    }

    private static string TypeOf(object value) => value switch
    {
        string => "text",
        long => "bigint",
        Guid => "uuid",
        byte[] => "bytea",
        DateTimeOffset => "timestamptz",
        string[] => "text[]",
        long[] => "bigint[]",
        Guid[] => "uuid[]",
        _ => throw new ArgumentOutOfRangeException(nameof(value)),
    };

    private static string LiteralOf(object value) => value switch
    {
        string text => $"'{text}'",
        long number => number.ToString(CultureInfo.InvariantCulture),
        Guid id => $"'{id}'",
        byte[] bytes => $"'\\x{Convert.ToHexStringLower(bytes)}'",
        DateTimeOffset at => $"'{at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)}'",
        string[] texts => $"array[{string.Join(", ", texts.Select(LiteralOf))}]",
        long[] numbers => $"array[{string.Join(", ", numbers)}]",
        Guid[] ids => $"'{{{string.Join(',', ids)}}}'",
        _ => throw new ArgumentOutOfRangeException(nameof(value)),
    };
}
