using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>A hold whose deadline has passed while it is still open.</summary>
/// <param name="Number">The hold.</param>
/// <param name="Deadline">When it could be captured last.</param>
public sealed record DueHold(long Number, DateTimeOffset Deadline);

/// <summary>Finds holds to expire.</summary>
public sealed class DueHolds(ShardSessions sessions)
{
    // The ledger's time counts where it is ahead of the clock: no capture is taken any more either.
    private const string Sql =
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
    public async Task<IReadOnlyList<DueHold>> AfterAsync(
        ShardRole role, DueHold? last, DateTimeOffset now, int rows, CancellationToken ct)
    {
        await using var command = sessions.DataSource(role).CreateCommand(Sql);
        command.Parameters.Add(LedgerParameters.Time(now));
        command.Parameters.Add(LedgerParameters.Text(sessions.ShardOf(role)));
        command.Parameters.Add(LedgerParameters.Time(last?.Deadline ?? DateTimeOffset.UnixEpoch));
        command.Parameters.Add(LedgerParameters.Long(last?.Number ?? 0));
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = rows });
        await using var reader = await command.ExecuteReaderAsync(ct);
        var due = new List<DueHold>();
        while (await reader.ReadAsync(ct))
            due.Add(new DueHold(reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(1)));
        return due;
    }
}
