using System.Globalization;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>The sum of the balances of one kind of account.</summary>
/// <param name="Kind">The code's first segment, or the whole code of a network account.</param>
/// <param name="Asset">The asset.</param>
/// <param name="Accounts">How many accounts were ever opened.</param>
/// <param name="Balance">Σ balance in base units; may exceed 64 bits.</param>
public sealed record TrialBalanceLine(string Kind, string Asset, long Accounts, Int128 Balance);

/// <summary>
/// Sums over accounts: from the running ones where the number of accounts has no bound, else over a range of codes.
/// </summary>
public sealed class LedgerRollUpQueries(ShardSessions sessions)
{
    private const string NetworkFamily = "network";

    private const string RunningSql =
        "select accounts, balance::text, held::text from ledger_roll_up where prefix = $1 and asset = $2";

    // Not one range: '-' and '.' stand before '/', so that "a-b" lies between "a" and "a/b".
    private const string RangeSql =
        """
        select count(*), coalesce(sum(balance), 0)::text, coalesce(sum(held), 0)::text
        from (
          select balance, held from ledger_account where code = $1 and asset = $4
          union all
          select balance, held from ledger_account where code ~>=~ $2 and code ~<~ $3 and asset = $4) below
        """;

    // The accounts of the network are found asset by asset, as their index is ordered.
    private const string TrialBalanceSql =
        """
        select prefix, asset, accounts, balance::text from ledger_roll_up where prefix = any($1)
        union all
        select a.code, a.asset, 1, a.balance::text
        from ledger_roll_up r join ledger_account a on a.asset = r.asset and a.code ~>=~ $2 and a.code ~<~ $3
        where r.prefix = $4
        """;

    private static readonly string[] Families =
        [.. ChartOfAccounts.Families.Where(family => family != NetworkFamily).Order(StringComparer.Ordinal)];

    /// <summary>The sums over the account of the code <paramref name="prefix"/> and all accounts below it.</summary>
    /// <param name="role">Whose shard.</param>
    /// <param name="prefix">Whole segments of a code, without a slash at the end.</param>
    /// <param name="asset">The asset.</param>
    /// <param name="ct">Stops the wait.</param>
    public async Task<LedgerRollUp> SumAsync(ShardRole role, string prefix, string asset, CancellationToken ct) =>
        await Sum(prefix, asset).FirstAsync(
            sessions.DataSource(role),
            row => new LedgerRollUp(prefix, asset, row.GetInt64(0), Number(row, 1), Number(row, 2)), ct)
        ?? new LedgerRollUp(prefix, asset, 0, 0, 0);

    /// <summary>Sums by kind of account, by asset and kind; over all lines of an asset they are 0.</summary>
    public async Task<IReadOnlyList<TrialBalanceLine>> TrialBalanceAsync(ShardRole role, CancellationToken ct)
    {
        var lines = await TrialBalance().AllAsync(
            sessions.DataSource(role),
            row => new TrialBalanceLine(row.GetString(0), row.GetString(1), row.GetInt64(2), Number(row, 3)), ct);
        return [.. lines
            .OrderBy(line => line.Asset, StringComparer.Ordinal).ThenBy(line => line.Kind, StringComparer.Ordinal)];
    }

    internal static SqlQuery Sum(string prefix, string asset) => LedgerRollUps.Has(prefix)
        ? new SqlQuery(RunningSql, prefix, asset)
        : new SqlQuery(RangeSql, prefix, CodePrefix.First(prefix), CodePrefix.End(prefix), asset);

    internal static SqlQuery TrialBalance() => new(
        TrialBalanceSql, Families, CodePrefix.First(NetworkFamily), CodePrefix.End(NetworkFamily), NetworkFamily);

    // Sums are numeric in the database: they may exceed 64 bits.
    private static Int128 Number(NpgsqlDataReader row, int ordinal) =>
        Int128.Parse(row.GetString(ordinal), CultureInfo.InvariantCulture);
}
