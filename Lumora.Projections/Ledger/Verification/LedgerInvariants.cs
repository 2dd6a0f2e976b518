using Lumora.Domain.Ledger;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>The invariants of the design, asked of the tables themselves, whatever the replay says.</summary>
internal static class LedgerInvariants
{
    private const string SumSql =
        "select asset, '0', sum(balance)::text from public.ledger_account group by asset having sum(balance) <> 0";

    // Without the rows: the roll-ups of all first segments are the sums of all accounts.
    private const string RollUpSumSql =
        """
        select asset, '0', sum(balance)::text from public.ledger_roll_up where prefix not like '%/%'
        group by asset having sum(balance) <> 0
        """;

    private const string FloorSql =
        """
        select code || ' ' || asset, 'at least ' || floor, (balance::numeric - held)::text from public.ledger_account
        where balance::numeric - held::numeric < floor::numeric
        """;

    private const string HeldSql =
        """
        select coalesce(a.code || ' ' || a.asset, 'account ' || o.account), coalesce(o.left_over, 0)::text,
          coalesce(a.held::text, '')
        from public.ledger_account a
        full join (
          select account, sum(left_over) as left_over from public.ledger_hold where status = 0 group by account) o
          on o.account = a.number
        where coalesce(o.left_over, 0) is distinct from a.held::numeric
        """;

    // What of a posting went back, beside what the journal says that it moved.
    private const string ReversalSql =
        """
        select r.journal_version || '/' || r.posting, 'at most ' || coalesce(m.amount, '0'), r.amount::text
        from public.ledger_reversal r
        left join lateral (
          select coalesce(e.data -> 'postings', e.data -> 'payments') -> r.posting::int ->> 'amount' as amount
          from public.mt_events e
          where e.stream_id = $1 and e.version = r.journal_version and e.type in ('transaction_posted', 'hold_captured')) m
          on true
        where m.amount is null or r.amount > m.amount::numeric
        """;

    private const string DuplicateSql =
        """
        select id::text, 'one outcome', 'journal versions ' || string_agg(journal_version::text, ', ' order by journal_version)
        from pg_temp.ledger_outcome group by id having count(*) > 1
        """;

    private const string FenceSql =
        """
        select coalesce(e.shard, a.shard), coalesce(row_to_json(e)::text, ''), coalesce(row_to_json(a)::text, '')
        from (select $1::text as shard, $2::bigint as journal_version, $3::bigint as account_count, $4::timestamptz as at) e
        full join (select shard, journal_version, account_count, at from public.ledger_fence) a on e.shard = a.shard
        where (e.journal_version, e.account_count, e.at) is distinct from (a.journal_version, a.account_count, a.at)
        """;

    private const string StreamSql =
        """
        select e.id, e.version::text, coalesce(a.version::text, '')
        from (select $1::text as id, nullif($2::bigint, 0) as version) e left join public.mt_streams a on a.id = e.id
        where e.version is distinct from a.version
        """;

    // Asset by asset, as the index of accounts is ordered.
    private const string ClearingSql =
        """
        select a.asset, a.balance
        from public.ledger_roll_up r join public.ledger_account a on a.asset = r.asset and a.code = $1
        where r.prefix = 'clearing'
        """;

    /// <summary>Every invariant that the tables of one database can show; reads all of them.</summary>
    public static async Task CheckAsync(
        NpgsqlConnection connection, string shard, FindingSink findings, CancellationToken ct)
    {
        await ReportAsync(LedgerFindingCodes.SumNotZero, SumSql);
        await ReportAsync(LedgerFindingCodes.FloorBroken, FloorSql);
        await ReportAsync(LedgerFindingCodes.HeldDiffers, HeldSql);
        await ReportAsync(
            LedgerFindingCodes.ReversalExceeded, ReversalSql, LedgerParameters.Text(LedgerJournal.StreamId(shard)));

        Task ReportAsync(string code, string sql, params NpgsqlParameter[] parameters) =>
            LedgerFindingQueries.ReportAsync(connection, findings, code, sql, ct, parameters);
    }

    /// <summary>Σ of all balances, from the few rows that hold it.</summary>
    public static Task CheckRollUpSumAsync(NpgsqlConnection connection, FindingSink findings, CancellationToken ct) =>
        LedgerFindingQueries.ReportAsync(connection, findings, LedgerFindingCodes.SumNotZero, RollUpSumSql, ct);

    /// <summary>One outcome for each (actor, key) of a whole journal that was replayed into this session's tables.</summary>
    public static Task CheckDuplicatesAsync(NpgsqlConnection connection, FindingSink findings, CancellationToken ct) =>
        LedgerFindingQueries.ReportAsync(connection, findings, LedgerFindingCodes.OutcomeDuplicate, DuplicateSql, ct);

    /// <summary>Fence and stream stand where the journal ends.</summary>
    public static async Task CheckHeadAsync(
        NpgsqlConnection connection, string shard, JournalPosition head, FindingSink findings, CancellationToken ct)
    {
        await LedgerFindingQueries.ReportAsync(
            connection, findings, LedgerFindingCodes.FenceDiffers, FenceSql, ct,
            LedgerParameters.Text(shard), LedgerParameters.Long(head.Version), LedgerParameters.Long(head.AccountCount),
            LedgerParameters.Time(head.At));
        await LedgerFindingQueries.ReportAsync(
            connection, findings, LedgerFindingCodes.StreamDiffers, StreamSql, ct,
            LedgerParameters.Text(LedgerJournal.StreamId(shard)), LedgerParameters.Long(head.Version));
    }

    /// <summary>
    /// What stands between this shard and each of <paramref name="peers"/>: <c>clearing/{peer}</c> here and <c>clearing/{shard}</c>
    /// there are together what is in flight, and no message between shards exists yet.
    /// </summary>
    public static async Task CheckClearingAsync(
        NpgsqlConnection connection, string shard, IReadOnlyDictionary<string, NpgsqlDataSource> peers, FindingSink findings,
        CancellationToken ct)
    {
        foreach (var (peer, source) in peers.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (peer == shard)
                continue;
            await using var there = await source.OpenConnectionAsync(ct);
            var sums = await ClearingAsync(connection, peer, ct);
            foreach (var (asset, balance) in await ClearingAsync(there, shard, ct))
                sums[asset] = sums.GetValueOrDefault(asset) + balance;
            foreach (var (asset, sum) in sums.Where(pair => pair.Value != 0))
                findings.Add(LedgerFindingCodes.ClearingDiffers, $"{shard}/{peer} {asset}", "0", $"{sum}");
        }
    }

    private static async Task<Dictionary<string, Int128>> ClearingAsync(
        NpgsqlConnection connection, string shard, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(ClearingSql, connection);
        command.Parameters.Add(LedgerParameters.Text(ChartOfAccounts.Clearing(shard)));
        var balances = new Dictionary<string, Int128>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            balances[reader.GetString(0)] = reader.GetInt64(1);
        return balances;
    }
}
