using Lumora.Chain.Log;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Chain.Anchoring;

/// <summary>Leaves that are worth an anchor.</summary>
/// <param name="Count">How many.</param>
/// <param name="Since">When the event of the oldest was appended; null when there are none.</param>
public sealed record WaitingLeaves(long Count, DateTimeOffset? Since);

/// <summary>What anchoring needs to know of a log.</summary>
public interface IPublishedCheckpoints
{
    /// <summary>The newest published checkpoint that may be anchored, or null.</summary>
    PublishedCheckpoint? Latest(string shard);

    /// <summary>Leaves of the newest published checkpoint, whether it may be anchored yet or not; 0 before the first.</summary>
    long Size(string shard);

    /// <summary>
    /// Which of the leaves [<paramref name="from"/>, <paramref name="to"/>) are worth an anchor: leaves about anchors
    /// and checkpoints are not, or each anchor would call for the next.
    /// </summary>
    Task<WaitingLeaves> WaitingAsync(string shard, long from, long to, CancellationToken ct);
}

/// <summary>The host's own logs.</summary>
/// <param name="logs">The logs.</param>
/// <param name="shards">Their databases.</param>
public sealed class PublishedCheckpoints(ShardLogs logs, ShardMap shards) : IPublishedCheckpoints
{
    // The names of the events of anchors and of checkpoints that other shards record.
    private const string Waiting =
        """
        with waiting as (
            select count(*) as leaves, min(seq_id) as oldest from log_leaves
            where leaf_index >= $1 and leaf_index < $2 and type not like 'anchor\_%' and type not like 'checkpoint\_%')
        select waiting.leaves, (select timestamp from mt_events where seq_id = waiting.oldest) from waiting
        """;

    /// <inheritdoc/>
    public PublishedCheckpoint? Latest(string shard) => logs.MayBeAnchored(shard) ? logs.Latest(shard) : null;

    /// <inheritdoc/>
    public long Size(string shard) => logs.Latest(shard)?.Checkpoint.Size ?? 0;

    /// <inheritdoc/>
    public async Task<WaitingLeaves> WaitingAsync(string shard, long from, long to, CancellationToken ct)
    {
        await using var command = shards.DataSource(shard).CreateCommand(Waiting);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = from });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = to });
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return new WaitingLeaves(
            reader.GetInt64(0), await reader.IsDBNullAsync(1, ct) ? null : await reader.GetFieldValueAsync<DateTimeOffset>(1, ct));
    }
}
