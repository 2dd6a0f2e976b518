using Lumora.Chain.Log;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Chain.Anchoring;

/// <summary>What anchoring needs to know of a log.</summary>
public interface IPublishedCheckpoints
{
    /// <summary>The newest published checkpoint that may be anchored, or null.</summary>
    PublishedCheckpoint? Latest(string shard);

    /// <summary>
    /// How many of the leaves [<paramref name="from"/>, <paramref name="to"/>) are worth an anchor: leaves about anchors
    /// and checkpoints are not, or each anchor would call for the next.
    /// </summary>
    Task<long> CountLeavesAsync(string shard, long from, long to, CancellationToken ct);
}

/// <summary>The host's own logs.</summary>
/// <param name="logs">The logs.</param>
/// <param name="shards">Their databases.</param>
public sealed class PublishedCheckpoints(ShardLogs logs, ShardMap shards) : IPublishedCheckpoints
{
    // The names of the events of anchors and of checkpoints that other shards record.
    private const string Count =
        """
        select count(*) from log_leaves
        where leaf_index >= $1 and leaf_index < $2 and type not like 'anchor\_%' and type not like 'checkpoint\_%'
        """;

    /// <inheritdoc/>
    public PublishedCheckpoint? Latest(string shard) => logs.MayBeAnchored(shard) ? logs.Latest(shard) : null;

    /// <inheritdoc/>
    public async Task<long> CountLeavesAsync(string shard, long from, long to, CancellationToken ct)
    {
        await using var command = shards.DataSource(shard).CreateCommand(Count);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = from });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = to });
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }
}
