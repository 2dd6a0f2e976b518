using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>A transaction as it stands in the journal.</summary>
/// <param name="JournalVersion">Its place.</param>
/// <param name="At">The ledger's time.</param>
/// <param name="Actor">Who asked for it.</param>
/// <param name="Posted">What moved.</param>
public sealed record JournalTransaction(long JournalVersion, DateTimeOffset At, string Actor, TransactionPosted Posted);

/// <summary>A transaction from the side of one account.</summary>
/// <param name="Transaction">The whole of it.</param>
/// <param name="Amount">What it changed on this account, in base units; negative = paid.</param>
/// <param name="Balance">The account's balance after it.</param>
public sealed record AccountTransaction(JournalTransaction Transaction, long Amount, long Balance);

/// <summary>A part of the journal; the versions are a page's cursors.</summary>
/// <param name="Count">At most so many transactions, 1 to <see cref="LedgerQueries.PageMax"/>.</param>
/// <param name="Above">Only later journal versions than this; 0 = from the first.</param>
/// <param name="Below">Only earlier journal versions than this; the largest = to the last.</param>
/// <param name="OldestFirst">From the oldest of the range upwards, instead of from the newest downwards.</param>
public sealed record JournalRange(int Count, long Above = 0, long Below = long.MaxValue, bool OldestFirst = false);

/// <summary>The sum of the balances of one kind of account.</summary>
/// <param name="Kind">The code's first segment, or the whole code of a network account.</param>
/// <param name="Asset">The asset.</param>
/// <param name="Accounts">How many accounts.</param>
/// <param name="Balance">Σ balance in base units; may exceed 64 bits.</param>
public sealed record TrialBalanceLine(string Kind, string Asset, long Accounts, Int128 Balance);

/// <summary>Reads of the ledger, from rows that the writer commits together with the journal.</summary>
public sealed class LedgerQueries(ShardSessions sessions)
{
    /// <summary>Most transactions in one answer.</summary>
    public const int PageMax = 1_000;

    /// <summary>The account of <paramref name="code"/>, or null.</summary>
    public async Task<LedgerAccount?> AccountAsync(ShardRole role, string code, string asset, CancellationToken ct)
    {
        await using var command = Command(
            role, $"select {LedgerRows.AccountColumns} from ledger_account where code = $1 and asset = $2", code, asset);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? LedgerRows.Account(reader) : null;
    }

    /// <summary>The recorded outcome of (actor, key), or null when that request was never decided.</summary>
    public async Task<RecordedOutcome?> OutcomeAsync(ShardRole role, string actor, string key, CancellationToken ct)
    {
        await using var command = Command(
            role, $"select {LedgerRows.OutcomeColumns} from ledger_outcome where id = $1", OutcomeId.Of(actor, key));
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? LedgerRows.Outcome(reader) : null;
    }

    /// <summary>The transaction that <paramref name="actor"/> made under <paramref name="key"/>, or null.</summary>
    public async Task<JournalTransaction?> TransactionAsync(
        ShardRole role, string actor, string key, CancellationToken ct)
    {
        if (await OutcomeAsync(role, actor, key, ct) is not { Code: null } outcome)
            return null;
        await using var command = Command(
            role,
            """
            select version, timestamp, user_name, data from mt_events
            where stream_id = $1 and version = $2 and type = 'transaction_posted'
            """,
            LedgerJournal.StreamId(sessions.ShardOf(role)), outcome.JournalVersion);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? Transaction(reader) : null;
    }

    /// <summary>The transactions of an account in <paramref name="range"/>; empty for an unknown account.</summary>
    public async Task<IReadOnlyList<AccountTransaction>> TransactionsAsync(
        ShardRole role, string code, string asset, JournalRange range, CancellationToken ct)
    {
        var order = range.OldestFirst ? "asc" : "desc";
        await using var command = Command(
            role,
            $"""
            with page as (
              select e.journal_version, sum(e.amount)::bigint as amount,
                (array_agg(e.balance order by e.line desc))[1] as balance
              from ledger_entry e
              where e.account = (select number from ledger_account where code = $1 and asset = $2)
                and e.journal_version > $3 and e.journal_version < $4
              group by e.journal_version order by e.journal_version {order} limit $5)
            select m.version, m.timestamp, m.user_name, m.data, p.amount, p.balance
            from page p join mt_events m on m.stream_id = $6 and m.version = p.journal_version
            order by m.version {order}
            """,
            code, asset, range.Above, range.Below, Math.Clamp(range.Count, 1, PageMax),
            LedgerJournal.StreamId(sessions.ShardOf(role)));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var page = new List<AccountTransaction>();
        while (await reader.ReadAsync(ct))
            page.Add(new AccountTransaction(Transaction(reader), reader.GetInt64(4), reader.GetInt64(5)));
        return page;
    }

    /// <summary>Sums by kind of account; over all lines of an asset they are 0.</summary>
    public async Task<IReadOnlyList<TrialBalanceLine>> TrialBalanceAsync(ShardRole role, CancellationToken ct)
    {
        await using var command = Command(
            role,
            """
            select case when code like 'network/%' then code else split_part(code, '/', 1) end as kind, asset,
              count(*), sum(balance)::text
            from ledger_account group by 1, 2 order by 2, 1
            """);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var lines = new List<TrialBalanceLine>();
        while (await reader.ReadAsync(ct))
            lines.Add(new TrialBalanceLine(
                reader.GetString(0), reader.GetString(1), reader.GetInt64(2),
                Int128.Parse(reader.GetString(3), System.Globalization.CultureInfo.InvariantCulture)));
        return lines;
    }

    private static JournalTransaction Transaction(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1), row.GetString(2),
        JsonSerializer.Deserialize<TransactionPosted>(row.GetString(3), WireJson.Events)!);

    private NpgsqlCommand Command(ShardRole role, string sql, params ReadOnlySpan<object> values)
    {
        var command = sessions.DataSource(role).CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
