using System.Globalization;
using Lumora.Domain.Ledger;
using Npgsql;
using NpgsqlTypes;
using static Lumora.Projections.Ledger.LedgerParameters;

namespace Lumora.Projections.Ledger;

/// <summary>A statement with its parameters.</summary>
internal sealed record LedgerSet(string Sql, NpgsqlParameter[] Parameters);

/// <summary>Rows of the ledger's tables as one statement a table, for who commits a batch and for who derives it again.</summary>
internal static class LedgerSets
{
    /// <summary>Columns of <c>ledger_hold</c>.</summary>
    public const string HoldColumns =
        "number, maker, account, kind, reference_type, reference_id, amount, left_over, captured, deadline, status, version";

    /// <summary>Columns of <c>ledger_entry</c>.</summary>
    public const string EntryColumns = "account, journal_version, line, amount, balance";

    private const string OpenedSql =
        """
        insert into ledger_account (number, code, asset, balance, held, floor, status, version)
        select * from unnest($1, $2, $3, $4, $5, $6, $7, $8)
        """;

    private const string ChangedSql =
        """
        update ledger_account a
        set balance = v.balance, held = v.held, floor = v.floor, status = v.status, version = v.version
        from unnest($1, $2, $3, $4, $5, $6) as v(number, balance, held, floor, status, version)
        where a.number = v.number
        """;

    private const string OutcomesSql =
        $"insert into ledger_outcome ({LedgerRows.OutcomeColumns}) select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)";

    private const string EntriesSql = $"insert into ledger_entry ({EntryColumns}) select * from unnest($1, $2, $3, $4, $5)";

    private const string HoldsSql =
        $"""
        insert into ledger_hold ({HoldColumns}) select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        on conflict (number) do update set left_over = excluded.left_over, captured = excluded.captured,
          status = excluded.status, version = excluded.version
        """;

    private const string ReversedSql =
        """
        insert into ledger_reversal (journal_version, posting, amount) select * from unnest($1, $2, $3)
        on conflict (journal_version, posting) do update set amount = excluded.amount
        """;

    private const string RollUpsSql =
        """
        insert into ledger_roll_up as r (prefix, asset, accounts, balance, held)
        select prefix, asset, accounts, balance::numeric, held::numeric
        from unnest($1, $2, $3, $4, $5) as v(prefix, asset, accounts, balance, held)
        on conflict (prefix, asset) do update set accounts = r.accounts + excluded.accounts,
          balance = r.balance + excluded.balance, held = r.held + excluded.held
        """;

    private const string TimeSql =
        """
        insert into ledger_time (at, journal_version) values ($1, $2)
        on conflict (at) do update set journal_version = excluded.journal_version
        """;

    /// <summary>Adds <paramref name="set"/> to what is sent together.</summary>
    public static void Add(this NpgsqlBatch batch, LedgerSet set) => batch.Add(set.Sql, set.Parameters);

    /// <summary>New accounts.</summary>
    public static LedgerSet Opened(IReadOnlyList<LedgerAccount> accounts) => new(
        OpenedSql,
        [
            Longs(accounts, a => a.Number), Texts(accounts, a => a.Key.Code), Texts(accounts, a => a.Key.Asset),
            Longs(accounts, a => a.Balance), Longs(accounts, a => a.Held),
            Array(accounts, a => a.Floor, NpgsqlDbType.Bigint), Shorts(accounts, a => (short)a.Status),
            Longs(accounts, a => a.Version),
        ]);

    /// <summary>Accounts that were there, as they are now.</summary>
    public static LedgerSet Changed(IReadOnlyList<LedgerAccount> accounts) => new(
        ChangedSql,
        [
            Longs(accounts, a => a.Number), Longs(accounts, a => a.Balance), Longs(accounts, a => a.Held),
            Array(accounts, a => a.Floor, NpgsqlDbType.Bigint), Shorts(accounts, a => (short)a.Status),
            Longs(accounts, a => a.Version),
        ]);

    /// <summary>New outcomes.</summary>
    public static LedgerSet Outcomes(IReadOnlyList<RecordedOutcome> outcomes) => new(
        OutcomesSql,
        [
            Uuids(outcomes, o => o.Id), Array(outcomes, o => o.Digest.Bytes.ToArray(), NpgsqlDbType.Bytea),
            Longs(outcomes, o => o.JournalVersion), Times(outcomes, o => o.At), Texts(outcomes, o => o.Code),
            Texts(outcomes, o => o.Field), Texts(outcomes, o => o.Label?.Kind), Texts(outcomes, o => o.Label?.Reference?.Type),
            Texts(outcomes, o => o.Label?.Reference?.Id),
        ]);

    /// <summary>New entries.</summary>
    public static LedgerSet Entries(IReadOnlyList<LedgerEntry> entries) => new(
        EntriesSql,
        [
            Longs(entries, e => e.Account), Longs(entries, e => e.JournalVersion), Shorts(entries, e => e.Line),
            Longs(entries, e => e.Amount), Longs(entries, e => e.Balance),
        ]);

    /// <summary>Holds, new ones and changed ones; <paramref name="state"/> knows their accounts.</summary>
    public static LedgerSet Holds(IReadOnlyList<LedgerHold> holds, LedgerState state) => new(
        HoldsSql,
        [
            Longs(holds, h => h.Number), Texts(holds, h => h.Maker), Longs(holds, h => state.Account(h.Account)!.Number),
            Texts(holds, h => h.Kind), Texts(holds, h => h.Reference?.Type), Texts(holds, h => h.Reference?.Id),
            Longs(holds, h => h.Amount), Longs(holds, h => h.Left), Longs(holds, h => h.Captured),
            Times(holds, h => h.Deadline), Shorts(holds, h => (short)h.Status), Longs(holds, h => h.Version),
        ]);

    /// <summary>What of each posting has gone back by now.</summary>
    public static LedgerSet Reversed(IReadOnlyList<ReversedPosting> rows) =>
        new(ReversedSql, [Longs(rows, r => r.Version), Shorts(rows, r => r.Posting), Longs(rows, r => r.Amount)]);

    /// <summary>What is added to the running sums.</summary>
    public static LedgerSet RollUps(IReadOnlyCollection<LedgerRollUp> sums) => new(
        RollUpsSql,
        [
            Texts(sums, s => s.Prefix), Texts(sums, s => s.Asset), Longs(sums, s => s.Accounts),
            Texts(sums, s => s.Balance.ToString(CultureInfo.InvariantCulture)),
            Texts(sums, s => s.Held.ToString(CultureInfo.InvariantCulture)),
        ]);

    /// <summary>The last journal version of a time.</summary>
    public static LedgerSet TimeOf(DateTimeOffset at, long version) => new(TimeSql, [Time(at), Long(version)]);
}

/// <summary>A posting of which something went back.</summary>
/// <param name="Version">The transaction's place in the journal.</param>
/// <param name="Posting">Index of the posting.</param>
/// <param name="Amount">What went back of it by now, in base units.</param>
internal sealed record ReversedPosting(long Version, short Posting, long Amount)
{
    /// <summary>All such postings that <paramref name="state"/> knows.</summary>
    public static IReadOnlyList<ReversedPosting> Of(LedgerState state) =>
    [
        .. state.Movements
            .SelectMany(movement => movement.Reversed.Select(
                (amount, posting) => new ReversedPosting(movement.Version, (short)posting, amount)))
            .Where(row => row.Amount > 0),
    ];
}
