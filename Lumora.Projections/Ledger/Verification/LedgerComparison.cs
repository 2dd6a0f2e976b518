using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>A table that is compared with what the journal says.</summary>
/// <param name="Code">Of a finding in it.</param>
/// <param name="Table">Its name.</param>
/// <param name="Keys">What identifies a row, not null.</param>
/// <param name="Values">All other columns.</param>
internal sealed record ComparedTable(string Code, string Table, string[] Keys, string[] Values)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<ComparedTable> All { get; } =
    [
        new(LedgerFindingCodes.AccountDiffers, "ledger_account", ["number"], ["code", "asset", "balance", "held", "floor", "status", "version"]),
        new(
            LedgerFindingCodes.OutcomeDiffers, "ledger_outcome", ["id"],
            ["digest", "journal_version", "at", "code", "field", "kind", "reference_type", "reference_id"]),
        new(LedgerFindingCodes.EntryDiffers, "ledger_entry", ["account", "journal_version", "line"], ["amount", "balance"]),
        new(
            LedgerFindingCodes.HoldDiffers, "ledger_hold", ["number"],
            [
                "maker", "account", "kind", "reference_type", "reference_id", "amount", "left_over", "captured", "deadline",
                "status", "version",
            ]),
        new(LedgerFindingCodes.ReversalDiffers, "ledger_reversal", ["journal_version", "posting"], ["amount"]),
        new(LedgerFindingCodes.RollUpDiffers, "ledger_roll_up", ["prefix", "asset"], ["accounts", "balance", "held"]),
        new(LedgerFindingCodes.TimeDiffers, "ledger_time", ["at"], ["journal_version"]),
    ];

    /// <summary>The one of <paramref name="table"/>.</summary>
    public static ComparedTable Of(string table) => All.Single(compared => compared.Table == table);

    /// <summary>
    /// The rows in which two relations differ: key, expected and actual as JSON. A full join, so that a row that one side
    /// lacks is a difference too.
    /// </summary>
    /// <param name="expected">What the journal says: a table or a query in parentheses.</param>
    /// <param name="actual">What is there.</param>
    /// <param name="also">A condition on <c>e</c> and <c>a</c>.</param>
    public string DifferencesSql(string expected, string actual, string also = "true")
    {
        var columns = Keys.Concat(Values).ToList();
        var where = string.Join(" || '/' || ", Keys.Select(key => $"coalesce(e.{key}, a.{key})::text"));
        var on = string.Join(" and ", Keys.Select(key => $"e.{key} = a.{key}"));
        return $"""
            select {where}, coalesce(row_to_json(e)::text, ''), coalesce(row_to_json(a)::text, '')
            from {expected} e full join {actual} a on {on}
            where ({List("e")}) is distinct from ({List("a")}) and {also}
            """;

        string List(string side) => string.Join(", ", columns.Select(column => $"{side}.{column}"));
    }
}

/// <summary>Runs queries whose rows are findings: where, expected, actual.</summary>
internal static class LedgerFindingQueries
{
    /// <summary>Reports each row of <paramref name="sql"/> under <paramref name="code"/>, as far as there is room.</summary>
    public static async Task ReportAsync(
        NpgsqlConnection connection, FindingSink findings, string code, string sql, CancellationToken ct,
        params NpgsqlParameter[] parameters)
    {
        if (findings.Room <= 0)
            return;
        await using var command = new NpgsqlCommand(
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"select * from ({sql}) f limit {findings.Room}"), connection)
        {
            CommandTimeout = LedgerShadow.SecondsMax,
        };
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            findings.Add(code, reader.GetString(0), reader.GetString(1), reader.GetString(2));
    }
}
