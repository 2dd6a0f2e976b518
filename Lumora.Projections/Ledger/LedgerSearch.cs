using System.Globalization;
using Lumora.Domain.Kernel;
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
/// Only those that touch an account below this prefix of codes (whole segments), for example <c>participant/{id}</c>; together
/// with a reference or kind.
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
/// Finds transactions, captures, reversals and holds by what they are for. Every search walks one index in journal order. What
/// that index does not know (the actor, say, or the kind among those of a reference) is looked at row by row, for so many events
/// a call: an answer is then short, and says from where to go on, rather than late.
/// </summary>
public sealed class LedgerSearch(ShardSessions sessions)
{
    /// <summary>Events that one call reads of the journal itself, one after the other.</summary>
    public const int WalkedMax = 20_000;

    /// <summary>Events that one call looks up for what a reference or kind names, one by one.</summary>
    public const int LookedUpMax = 2_000;

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
        var (source, shard) = (sessions.DataSource(role), sessions.ShardOf(role));
        var period = await Period(filter).FirstAsync(source, row => Tuple.Create(row.GetInt64(0), row.GetInt64(1)), ct);
        var within = range.Within(period!.Item1, period.Item2);
        if (filter is { Reference: null, Kind: null })
            return await WalkAsync(source, shard, filter, within, ct);
        await using var command = LookUp(shard, filter, within).On(source);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await TakeAsync(reader, filter, within.Limit, ct);
    }

    internal static SqlQuery Transaction(string shard, long version) =>
        new(TransactionSql, LedgerJournal.StreamId(shard), version, Types);

    internal static SqlQuery Period(TransactionFilter filter) =>
        new(PeriodSql, LedgerTimes.From(filter.From), LedgerTimes.To(filter.To));

    // The journal has no holes, so that a number of events is a range of versions.
    internal static JournalRange Window(JournalRange range) => range.OldestFirst
        ? range with { Below = Math.Min(range.Below, range.Above + 1 + WalkedMax) }
        : range with { Above = Math.Max(range.Above, range.Below - 1 - WalkedMax) };

    internal static SqlQuery Walk(string shard, TransactionFilter filter, JournalRange window)
    {
        var values = new List<object> { LedgerJournal.StreamId(shard), window.Above, window.Below, window.Limit };
        return new SqlQuery(
            $"""
            select {JournalTransaction.Columns} from mt_events
            where stream_id = $1 and version > $2 and version < $3{Wanted(filter, values)}
            order by version {(window.OldestFirst ? "asc" : "desc")} limit $4
            """,
            [.. values]);
    }

    // Fixed pieces of SQL, put together: each search is planned for the conditions that it has.
    internal static SqlQuery LookUp(string shard, TransactionFilter filter, JournalRange range)
    {
        var both = filter is { Reference: not null, Kind: not null };
        var exact = filter is { Actor: null, Participates: null } && !both;
        var values = new List<object>
        {
            LedgerJournal.StreamId(shard), range.Above, range.Below, exact ? range.Limit : LookedUpMax,
            filter.Participates is null ? range.Limit : LookedUpMax,
        };
        var (order, last) = range.OldestFirst ? ("asc", "max") : ("desc", "min");
        var (named, chosen, wanted) = (Named(filter, values), Chosen(filter, order, values), Wanted(filter, values));
        return new SqlQuery(
            $"""
            with named as materialized (
              select journal_version as version{(both ? ", kind" : "")} from ledger_outcome
              where journal_version > $2 and journal_version < $3{named}
              order by journal_version {order} limit $4)
            select n.count, n.last, f.*
            from (select count(*) as count, {last}(version) as last from named) n
            left join (
              select m.*
              from {chosen} cross join lateral (
                select {JournalTransaction.Columns} from mt_events
                where stream_id = $1 and version = chosen.version{wanted} limit 1) m
              order by chosen.version {order} limit $5) f on true
            order by f.version {order}
            """,
            [.. values]);
    }

    private static string Named(TransactionFilter filter, List<object> values) => filter.Reference is { } reference
        ? And("reference_type", reference.Type, values) + And("reference_id", reference.Id, values)
        : And("kind", filter.Kind!, values);

    // A reference names fewer than a kind does, as a rule: together they walk the reference's index. No more of them are looked
    // up in the journal than are asked for, unless it has to say who asked for them.
    private static string Chosen(TransactionFilter filter, string order, List<object> values)
    {
        if (filter is not { Reference: not null, Kind: { } kind })
            return "named as chosen";
        values.Add(kind);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"(select version from named where kind = ${values.Count} order by version {order}{(filter.Actor is null ? " limit $5" : "")}) as chosen");
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

    private static async Task<FoundTransactions> WalkAsync(
        NpgsqlDataSource source, string shard, TransactionFilter filter, JournalRange range, CancellationToken ct)
    {
        Check.That(filter.Participates is null, "who takes part is looked up by a reference or kind");
        var window = Window(range);
        var found = await Walk(shard, filter, window).AllAsync(source, JournalTransaction.Read, ct);
        long? searchedTo = found.Count == range.Limit ? null
            : window.Above > range.Above ? window.Above + 1
            : window.Below < range.Below ? window.Below - 1
            : null;
        return new FoundTransactions(found, searchedTo);
    }

    private static async Task<FoundTransactions> TakeAsync(
        NpgsqlDataReader reader, TransactionFilter filter, long limit, CancellationToken ct)
    {
        var found = new List<JournalTransaction>();
        var below = filter.Participates is { } prefix ? CodePrefix.First(prefix) : "";
        long? searchedTo = null;
        while (found.Count < limit && await reader.ReadAsync(ct))
        {
            searchedTo = reader.GetInt64(0) == LookedUpMax ? reader.GetInt64(1) : null;
            if (reader.IsDBNull(2))
                continue;
            var transaction = JournalTransaction.Read(reader, first: 2);
            if (transaction.Touches(code => code.StartsWith(below, StringComparison.Ordinal)))
                found.Add(transaction);
        }

        return new FoundTransactions(found, found.Count < limit ? searchedTo : null);
    }
}
