using Npgsql;

namespace Lumora.Resilience.Tests.Infrastructure;

/// <summary>The log's index in the database, against the events that it is of.</summary>
internal static class LeafTable
{
    /// <summary>Each event has one leaf, in the order of the events, and no leaf is of none.</summary>
    public static async Task AssertWholeAsync(NpgsqlDataSource database, CancellationToken ct) => Assert.Equal(0, await NumberAsync(
        database,
        """
        select count(*)
        from (select *, row_number() over (order by seq_id) - 1 as place from mt_events) event
        full join log_leaves leaf on leaf.event_id = event.id and leaf.seq_id = event.seq_id and leaf.leaf_index = event.place
        where event.id is null or leaf.event_id is null
        """, ct));

    /// <summary>The one number that <paramref name="sql"/> answers.</summary>
    public static async Task<long> NumberAsync(NpgsqlDataSource database, string sql, CancellationToken ct)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }
}
