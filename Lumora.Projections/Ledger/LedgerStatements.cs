using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>An account over a period: closing − opening = the sum of its lines.</summary>
/// <param name="Key">Code and asset.</param>
/// <param name="Account">The account's number.</param>
/// <param name="Above">Journal version of the last event before the period; 0 = the journal begins in it.</param>
/// <param name="UpTo">Journal version of the last event of the period.</param>
/// <param name="Opening">The balance at <paramref name="Above"/>, in base units.</param>
/// <param name="Closing">The balance at <paramref name="UpTo"/>, in base units.</param>
public sealed record AccountStatement(AccountKey Key, long Account, long Above, long UpTo, long Opening, long Closing);

/// <summary>
/// Statements: what moved on an account, with the running balance that each entry carries. A period is fixed by journal
/// versions when it is asked for, so that pages and totals stay true to each other while the journal grows.
/// </summary>
public sealed class LedgerStatements(ShardSessions sessions)
{
    private const string StatementSql =
        """
        select a.number, coalesce(f.journal_version, 0), coalesce(t.journal_version, 0), coalesce(o.balance, 0),
          coalesce(c.balance, 0)
        from ledger_account a
        left join lateral (
          select journal_version from ledger_time where at < $3 order by at desc limit 1) f on true
        left join lateral (
          select journal_version from ledger_time where at < $4 order by at desc limit 1) t on true
        left join lateral (
          select balance from ledger_entry where account = a.number and journal_version <= f.journal_version
          order by journal_version desc, line desc limit 1) o on true
        left join lateral (
          select balance from ledger_entry where account = a.number and journal_version <= t.journal_version
          order by journal_version desc, line desc limit 1) c on true
        where a.code = $1 and a.asset = $2
        """;

    // "limit 1" keeps the look-up of each event a step of its own, or a large page could be joined by reading the journal.
    private const string LinesSql =
        """
        with page as materialized (
          select journal_version, sum(amount)::bigint as amount, (array_agg(balance order by line desc))[1] as balance
          from ledger_entry where account = $1 and journal_version > $2 and journal_version < $3
          group by journal_version order by journal_version {0} limit $4)
        select m.*, p.amount, p.balance
        from page p cross join lateral (
          select version, timestamp, user_name, type, data from mt_events
          where stream_id = $5 and version = p.journal_version limit 1) m
        order by p.journal_version {0}
        """;

    private static readonly string NewestFirstSql = LinesSql.Replace("{0}", "desc", StringComparison.Ordinal);
    private static readonly string OldestFirstSql = LinesSql.Replace("{0}", "asc", StringComparison.Ordinal);

    /// <summary>
    /// The statement of an account from <paramref name="from"/> (null = from the start) until before <paramref name="to"/> (null = until
    /// now); null when there is no such account.
    /// </summary>
    public Task<AccountStatement?> FindAsync(
        ShardRole role, string code, string asset, DateTimeOffset? from, DateTimeOffset? to, CancellationToken ct) =>
        Statement(code, asset, from, to).FirstAsync(
            sessions.DataSource(role),
            row => new AccountStatement(
                new AccountKey(code, asset), row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3),
                row.GetInt64(4)),
            ct);

    /// <summary>The lines of <paramref name="statement"/> in <paramref name="range"/>, one for each transaction.</summary>
    public Task<IReadOnlyList<AccountTransaction>> LinesAsync(
        ShardRole role, AccountStatement statement, JournalRange range, CancellationToken ct) =>
        Lines(sessions.ShardOf(role), statement.Account, range.Within(statement.Above, statement.UpTo))
            .AllAsync(sessions.DataSource(role), Line, ct);

    /// <summary>The transactions of an account in <paramref name="range"/>; empty for an unknown account.</summary>
    public async Task<IReadOnlyList<AccountTransaction>> TransactionsAsync(
        ShardRole role, string code, string asset, JournalRange range, CancellationToken ct)
    {
        var source = sessions.DataSource(role);
        return await LedgerQueries.Account(code, asset).FirstAsync(source, LedgerRows.Account, ct) is { } account
            ? await Lines(sessions.ShardOf(role), account.Number, range).AllAsync(source, Line, ct)
            : [];
    }

    internal static SqlQuery Statement(string code, string asset, DateTimeOffset? from, DateTimeOffset? to) =>
        new(StatementSql, code, asset, LedgerTimes.From(from), LedgerTimes.To(to));

    internal static SqlQuery Lines(string shard, long account, JournalRange range) => new(
        range.OldestFirst ? OldestFirstSql : NewestFirstSql, account, range.Above, range.Below, range.Limit,
        LedgerJournal.StreamId(shard));

    private static AccountTransaction Line(NpgsqlDataReader row) =>
        new(JournalTransaction.Read(row), row.GetInt64(5), row.GetInt64(6));
}

/// <summary>Ends of periods; an open one lies where no event can be.</summary>
internal static class LedgerTimes
{
    public static DateTimeOffset From(DateTimeOffset? from) => (from ?? DateTimeOffset.MinValue).ToUniversalTime();

    public static DateTimeOffset To(DateTimeOffset? to) => (to ?? DateTimeOffset.MaxValue).ToUniversalTime();
}
