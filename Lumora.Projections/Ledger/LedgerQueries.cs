using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>What an account held at a place of the journal.</summary>
/// <param name="Key">Code and asset.</param>
/// <param name="Balance">Credits − debits up to there, in base units.</param>
/// <param name="JournalVersion">The place: every event up to it counts.</param>
/// <param name="At">The ledger's time of that event.</param>
/// <param name="LastEntry">Journal version of the last of them that moved something on the account; null = none did.</param>
public sealed record AccountBalance(
    AccountKey Key, long Balance, long JournalVersion, DateTimeOffset At, long? LastEntry);

/// <summary>
/// A part of a list of accounts, in the order of their codes (by bytes); the codes are a page's cursors.
/// </summary>
/// <param name="Count">At most so many accounts.</param>
/// <param name="After">Only codes after this; empty = from the first.</param>
/// <param name="Before">Only codes before this; null = to the last.</param>
/// <param name="LastFirst">From the end of the range downwards.</param>
public sealed record CodeRange(int Count, string After = "", string? Before = null, bool LastFirst = false);

/// <summary>
/// Reads of accounts and outcomes, now and in the past, from rows that the writer commits together with the journal.
/// Statements, sums, holds and searches have classes of their own.
/// </summary>
public sealed class LedgerQueries(ShardSessions sessions)
{
    /// <summary>Most rows in one answer of any of the ledger's lists.</summary>
    public const int PageMax = 1_000;

    private const string AccountSql =
        $"select {LedgerRows.AccountColumns} from ledger_account where code = $1 and asset = $2";

    // A code has only characters below '~', so that this is above every code.
    private const string AfterAllCodes = "~";

    private const string AccountsSql =
        $"""
        select {LedgerRows.AccountColumns} from ledger_account
        where code ~>=~ $1 and code ~<~ $2 and code ~>~ $3 and code ~<~ $4 and asset = $5
        order by code using ~<~ limit $6
        """;

    private const string AccountsLastFirstSql =
        $"""
        select {LedgerRows.AccountColumns} from ledger_account
        where code ~>=~ $1 and code ~<~ $2 and code ~>~ $3 and code ~<~ $4 and asset = $5
        order by code using ~>~ limit $6
        """;

    // The last entry up to a place carries the balance there: one descent of the entries' key, however many there are.
    private const string BalanceSql =
        """
        select p.journal_version, p.at, e.journal_version, e.balance, o.journal_version
        from ledger_account a
        cross join place p
        left join lateral (
          select journal_version, balance from ledger_entry
          where account = a.number and journal_version <= p.journal_version
          order by journal_version desc, line desc limit 1) e on true
        left join lateral (
          select journal_version from ledger_outcome where digest = $4 and kind is null and code is null limit 1) o on true
        where a.code = $1 and a.asset = $2
        """;

    // A time names the last batch that is not after it, by the journal's order and not by any clock's.
    private const string BalanceAtTimeSql =
        $"""
        with place as (select journal_version, at from ledger_time where at <= $3 order by at desc limit 1)
        {BalanceSql}
        """;

    private const string BalanceAtVersionSql =
        $"""
        with place as (
          select version as journal_version, timestamp as at from mt_events
          where stream_id = $5 and version <= $3 order by version desc limit 1)
        {BalanceSql}
        """;

    /// <summary>The account of <paramref name="code"/> as it is now, or null.</summary>
    public Task<LedgerAccount?> AccountAsync(ShardRole role, string code, string asset, CancellationToken ct) =>
        Account(code, asset).FirstAsync(sessions.DataSource(role), LedgerRows.Account, ct);

    /// <summary>
    /// The balance of an account at <paramref name="at"/>, everything of that time included. Null when it was not open then.
    /// </summary>
    public Task<AccountBalance?> BalanceAsync(
        ShardRole role, string code, string asset, DateTimeOffset at, CancellationToken ct) =>
        BalanceAsync(role, BalanceAt(code, asset, at), new AccountKey(code, asset), ct);

    /// <summary>
    /// The balance of an account after the event at <paramref name="journalVersion"/>, or after the last one when the
    /// journal is shorter. Null when it was not open then.
    /// </summary>
    public Task<AccountBalance?> BalanceAsync(
        ShardRole role, string code, string asset, long journalVersion, CancellationToken ct) =>
        BalanceAsync(
            role, BalanceAt(sessions.ShardOf(role), code, asset, journalVersion), new AccountKey(code, asset), ct);

    /// <summary>The accounts of <paramref name="asset"/> below <paramref name="prefix"/> (whole segments).</summary>
    public Task<IReadOnlyList<LedgerAccount>> AccountsAsync(
        ShardRole role, string prefix, string asset, CodeRange range, CancellationToken ct) =>
        Accounts(prefix, asset, range).AllAsync(sessions.DataSource(role), LedgerRows.Account, ct);

    /// <summary>The recorded outcome of (actor, key), or null when that request was never decided.</summary>
    public Task<RecordedOutcome?> OutcomeAsync(ShardRole role, string actor, string key, CancellationToken ct) =>
        Outcome(actor, key).FirstAsync(sessions.DataSource(role), LedgerRows.Outcome, ct);

    internal static SqlQuery Account(string code, string asset) => new(AccountSql, code, asset);

    internal static SqlQuery Outcome(string actor, string key) => new(
        $"select {LedgerRows.OutcomeColumns} from ledger_outcome where id = $1", OutcomeId.Of(actor, key));

    internal static SqlQuery BalanceAt(string code, string asset, DateTimeOffset at) =>
        new(BalanceAtTimeSql, code, asset, at, OpeningOf(code, asset));

    internal static SqlQuery BalanceAt(string shard, string code, string asset, long version) =>
        new(BalanceAtVersionSql, code, asset, version, OpeningOf(code, asset), LedgerJournal.StreamId(shard));

    internal static SqlQuery Accounts(string prefix, string asset, CodeRange range) => new(
        range.LastFirst ? AccountsLastFirstSql : AccountsSql,
        CodePrefix.First(prefix), CodePrefix.End(prefix), range.After, range.Before ?? AfterAllCodes, asset,
        (long)Math.Clamp(range.Count, 1, PageMax));

    // An account that its first posting opens has an entry from then on; only the others have a request that opened them.
    private static byte[] OpeningOf(string code, string asset) =>
        RequestDigest.Of(new OpenAccount(code, asset)).Bytes.ToArray();

    private Task<AccountBalance?> BalanceAsync(ShardRole role, SqlQuery query, AccountKey key, CancellationToken ct) =>
        query.FirstAsync(sessions.DataSource(role), row => Balance(row, key), ct);

    private static AccountBalance? Balance(NpgsqlDataReader row, AccountKey key)
    {
        var (version, at) = (row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1));
        if (!row.IsDBNull(2))
            return new AccountBalance(key, row.GetInt64(3), version, at, row.GetInt64(2));
        return !row.IsDBNull(4) && row.GetInt64(4) <= version ? new AccountBalance(key, 0, version, at, null) : null;
    }
}

/// <summary>The codes below a prefix as a range by bytes: '/' is followed by '0'.</summary>
internal static class CodePrefix
{
    public static string First(string prefix) => $"{prefix}/";

    public static string End(string prefix) => $"{prefix}0";
}
