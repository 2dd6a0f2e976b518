using System.Globalization;
using System.Text;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>What transactions to look for; what is null does not matter.</summary>
/// <param name="Reference">Behind which business object.</param>
/// <param name="Kind">What the money moved for.</param>
/// <param name="From">Not before this.</param>
/// <param name="To">Before this.</param>
/// <param name="Actor">Who asked for it.</param>
/// <param name="Participates">
/// Only those that touch an account below this prefix of codes (whole segments), for example <c>participant/{id}</c>.
/// </param>
public sealed record TransactionFilter(
    TransactionReference? Reference = null,
    string? Kind = null,
    DateTimeOffset? From = null,
    DateTimeOffset? To = null,
    string? Actor = null,
    string? Participates = null);

/// <summary>What a search found.</summary>
/// <param name="Transactions">At most as many as asked for, in the order asked for.</param>
/// <param name="SearchedTo">
/// The journal version at which the search gave up for this time, with fewer than asked for: more may follow beyond it.
/// Null = it came to its end or is full.
/// </param>
public sealed record FoundTransactions(IReadOnlyList<JournalTransaction> Transactions, long? SearchedTo);

/// <summary>
/// Finds transactions, captures, reversals and holds by what they are for. Every search walks one index in journal order;
/// what that index does not know (the actor, say) is looked at in the journal, for at most <see cref="LookedAtMax"/> events a
/// call: an answer is then short, and says from where to go on, rather than late.
/// </summary>
public sealed class LedgerSearch(ShardSessions sessions)
{
    /// <summary>Events that one call looks at when the index alone does not answer.</summary>
    public const int LookedAtMax = 5_000;

    private const string TransactionSql =
        $"select {JournalTransaction.Columns} from mt_events where stream_id = $1 and version = $2 and type = any($3)";

    private const string PeriodSql =
        """
        select
          coalesce((select journal_version from ledger_time where at < $1 order by at desc limit 1), 0),
          coalesce((select journal_version from ledger_time where at < $2 order by at desc limit 1), 0)
        """;

    private static readonly string[] Types =
        ["transaction_posted", "hold_captured", "transaction_reversed", "funds_held"];

    /// <summary>The transaction, capture, reversal or hold at <paramref name="journalVersion"/>; null when there is none.</summary>
    public Task<JournalTransaction?> TransactionAsync(ShardRole role, long journalVersion, CancellationToken ct) =>
        Transaction(sessions.ShardOf(role), journalVersion)
            .FirstAsync(sessions.DataSource(role), JournalTransaction.Read, ct);

    /// <summary>What <paramref name="actor"/> did under <paramref name="key"/>; null when it moved or held no money.</summary>
    public async Task<JournalTransaction?> TransactionAsync(
        ShardRole role, string actor, string key, CancellationToken ct)
    {
        var outcome = await LedgerQueries.Outcome(actor, key).FirstAsync(sessions.DataSource(role), LedgerRows.Outcome, ct);
        return outcome is { Code: null } ? await TransactionAsync(role, outcome.JournalVersion, ct) : null;
    }

    /// <summary>Searches <paramref name="range"/> of the journal.</summary>
    public async Task<FoundTransactions> FindAsync(
        ShardRole role, TransactionFilter filter, JournalRange range, CancellationToken ct)
    {
        var source = sessions.DataSource(role);
        if (filter.From is not null || filter.To is not null)
        {
            var period = await Period(filter).FirstAsync(source, row => Tuple.Create(row.GetInt64(0), row.GetInt64(1)), ct);
            range = range.Within(period!.Item1, period.Item2);
        }

        await using var command = Find(sessions.ShardOf(role), filter, range).On(source);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await TakeAsync(reader, filter, range.Limit, ct);
    }

    internal static LedgerQuery Transaction(string shard, long version) =>
        new(TransactionSql, LedgerJournal.StreamId(shard), version, Types);

    internal static LedgerQuery Period(TransactionFilter filter) =>
        new(PeriodSql, LedgerTimes.From(filter.From), LedgerTimes.To(filter.To));

    // Fixed pieces of SQL, put together: each search is planned for the conditions that it has.
    internal static LedgerQuery Find(string shard, TransactionFilter filter, JournalRange range)
    {
        var byIndex = filter is { Actor: null, Participates: null } && (filter.Reference ?? (object?)filter.Kind) is not null;
        var values = new List<object>
        {
            LedgerJournal.StreamId(shard), range.Above, range.Below, byIndex ? range.Limit : LookedAtMax,
            filter.Participates is null ? range.Limit : LookedAtMax,
        };
        var (order, last) = range.OldestFirst ? ("asc", "max") : ("desc", "min");
        var walked = Walked(filter, values);
        var wanted = Wanted(filter, values);
        var sql = $"""
            with walked as materialized ({walked} order by 1 {order} limit $4)
            select w.count, w.last, f.*
            from (select count(*) as count, {last}(version) as last from walked) w
            left join (
              select m.*
              from walked cross join lateral (
                select {JournalTransaction.Columns} from mt_events
                where stream_id = $1 and version = walked.version{wanted} limit 1) m
              order by walked.version {order} limit $5) f on true
            order by f.version {order}
            """;
        return new LedgerQuery(sql, [.. values]);
    }

    private static string Walked(TransactionFilter filter, List<object> values)
    {
        if (filter.Reference is null && filter.Kind is null)
            return "select version from mt_events where stream_id = $1 and version > $2 and version < $3";
        var sql = new StringBuilder(
            "select journal_version as version from ledger_outcome where journal_version > $2 and journal_version < $3");
        if (filter.Reference is { } reference)
            sql.Append(And("reference_type", reference.Type, values)).Append(And("reference_id", reference.Id, values));
        if (filter.Kind is { } kind)
            sql.Append(And("kind", kind, values));
        return sql.ToString();
    }

    private static string Wanted(TransactionFilter filter, List<object> values)
    {
        values.Add(Types);
        var types = string.Create(CultureInfo.InvariantCulture, $" and type = any(${values.Count})");
        return filter.Actor is { } actor ? types + And("user_name", actor, values) : types;
    }

    private static string And(string column, string value, List<object> values)
    {
        values.Add(value);
        return string.Create(CultureInfo.InvariantCulture, $" and {column} = ${values.Count}");
    }

    private static async Task<FoundTransactions> TakeAsync(
        NpgsqlDataReader reader, TransactionFilter filter, long limit, CancellationToken ct)
    {
        var found = new List<JournalTransaction>();
        var below = filter.Participates is { } prefix ? CodePrefix.First(prefix) : "";
        long? searchedTo = null;
        while (found.Count < limit && await reader.ReadAsync(ct))
        {
            searchedTo = reader.GetInt64(0) == LookedAtMax ? reader.GetInt64(1) : null;
            if (reader.IsDBNull(2))
                continue;
            var transaction = JournalTransaction.Read(reader, first: 2);
            if (transaction.Touches(code => code.StartsWith(below, StringComparison.Ordinal)))
                found.Add(transaction);
        }

        return new FoundTransactions(found, found.Count < limit ? searchedTo : null);
    }
}
