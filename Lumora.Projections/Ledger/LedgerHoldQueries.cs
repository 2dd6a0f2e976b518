using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;

namespace Lumora.Projections.Ledger;

/// <summary>Reads of holds.</summary>
public sealed class LedgerHoldQueries(ShardSessions sessions)
{
    private const string HoldSql =
        $"""
        select {LedgerRows.HoldColumns} from ledger_hold h join ledger_account a on a.number = h.account
        where h.number = $1
        """;

    // Holds of an account are ordered within each status: so many of each, then the best of those. By the negative number,
    // which the index has and the primary key has not: by number alone the planner would look through the holds of everybody.
    private const string HoldsSql =
        $$"""
        select {{LedgerRows.HoldColumns}}
        from ledger_account a
        cross join unnest($3) as s(status)
        cross join lateral (
          select * from ledger_hold
          where account = a.number and status = s.status and -number < -$4 and -number > -$5
          order by -number {1} limit $6) h
        where a.code = $1 and a.asset = $2
        order by h.number {0} limit $6
        """;

    private static readonly string NewestFirstSql = Ordered("desc", "asc");
    private static readonly string OldestFirstSql = Ordered("asc", "desc");
    private static readonly long[] AllStatuses = [.. Enum.GetValues<HoldStatus>().Select(status => (long)status)];

    /// <summary>The hold of <paramref name="number"/>, or null.</summary>
    public Task<LedgerHold?> HoldAsync(ShardRole role, long number, CancellationToken ct) =>
        Hold(number).FirstAsync(sessions.DataSource(role), LedgerRows.Hold, ct);

    /// <summary>The holds of an account in <paramref name="range"/> of their numbers.</summary>
    /// <param name="role">Whose shard.</param>
    /// <param name="code">The account's code.</param>
    /// <param name="asset">The account's asset.</param>
    /// <param name="status">Only those that stand so; null = all.</param>
    /// <param name="range">A hold's number is the journal version that made it.</param>
    /// <param name="ct">Stops the wait.</param>
    public Task<IReadOnlyList<LedgerHold>> HoldsAsync(
        ShardRole role, string code, string asset, HoldStatus? status, JournalRange range, CancellationToken ct) =>
        Holds(code, asset, status, range).AllAsync(sessions.DataSource(role), LedgerRows.Hold, ct);

    private static string Ordered(string byNumber, string byNegative) => HoldsSql
        .Replace("{0}", byNumber, StringComparison.Ordinal).Replace("{1}", byNegative, StringComparison.Ordinal);

    internal static SqlQuery Hold(long number) => new(HoldSql, number);

    internal static SqlQuery Holds(string code, string asset, HoldStatus? status, JournalRange range) => new(
        range.OldestFirst ? OldestFirstSql : NewestFirstSql, code, asset,
        status is { } one ? new[] { (long)one } : AllStatuses, range.Above, range.Below, range.Limit);
}
