using Lumora.Projections.EventStore;

namespace Lumora.Projections.Ledger;

/// <summary>A hold whose deadline has passed while it is still open.</summary>
/// <param name="Number">The hold.</param>
/// <param name="Deadline">When it could be captured last.</param>
public sealed record DueHold(long Number, DateTimeOffset Deadline);

/// <summary>Finds holds to expire.</summary>
public sealed class DueHolds(ShardSessions sessions)
{
    // The ledger's time counts where it is ahead of the clock: no capture is taken any more either.
    private const string DueSql =
        """
        select number, deadline from ledger_hold
        where status = 0 and deadline < greatest($1, (select at from ledger_fence where shard = $2))
          and (deadline, number) > ($3, $4)
        order by deadline, number limit $5
        """;

    /// <summary>
    /// The next <paramref name="rows"/> holds after <paramref name="last"/> that are due at <paramref name="now"/>, in the
    /// order of their deadlines.
    /// </summary>
    public Task<IReadOnlyList<DueHold>> AfterAsync(
        ShardRole role, DueHold? last, DateTimeOffset now, int rows, CancellationToken ct) =>
        Due(sessions.ShardOf(role), last, now, rows).AllAsync(
            sessions.DataSource(role), row => new DueHold(row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1)), ct);

    internal static SqlQuery Due(string shard, DueHold? last, DateTimeOffset now, long rows) =>
        new(DueSql, now, shard, last?.Deadline ?? DateTimeOffset.UnixEpoch, last?.Number ?? 0, rows);
}
