using JasperFx.Events.Daemon;
using JasperFx.Events.Projections;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;
using Lumora.Projections.EventStore;
using Marten;
using Npgsql;
using Wolverine;
using Wolverine.Marten.Subscriptions;

namespace Lumora.Chain.Log;

/// <summary>
/// Turns committed events into leaves, in the order of the event store's sequence and with dense indexes of our own. Leaves,
/// head and the subscription's progress commit in one transaction: a crash at any statement loses and doubles nothing.
/// </summary>
public sealed class LogSequencer : BatchSubscription
{
    /// <summary>The subscription's name in the event store's progress table.</summary>
    public const string Name = "log-sequencer";

    private const int PageEventsMax = 2_000;
    private const int AttemptsMax = 300;

    // The rows and not the page's events: the leaf commits to what is stored, before upcasters and converters.
    private const string ReadEvents =
        """
        select seq_id, id, stream_id, version, type, data::text, timestamp, user_name, causation_id
        from mt_events
        where seq_id > $1 and seq_id <= $2
        order by seq_id
        """;

    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly ShardMap _shards;

    /// <summary>A sequencer for every shard of <paramref name="shards"/>.</summary>
    public LogSequencer(ShardMap shards)
        : base(Name)
    {
        _shards = shards;
        // An event of a stream that was archived before its page was read would be missing from the log for ever.
        IncludeArchivedEvents = true;
        Options.BatchSize = PageEventsMax;
    }

    /// <inheritdoc/>
    public override async Task ProcessEventsAsync(
        EventRange page, ISubscriptionController controller, IDocumentOperations operations, IMessageBus bus,
        CancellationToken cancellationToken)
    {
        var shard = ShardOf(operations);
        var leaves = await ReadPatientlyAsync(shard, page.SequenceFloor, page.SequenceCeiling, cancellationToken);
        // What the page shows must be among what is logged; the rows may hold more (archived, unknown to this build).
        Check.That(leaves.Count >= page.Events.Count);
        if (leaves.Count == 0)
            return;
        operations.QueueSqlCommand(LogStore.CreateHead);
        operations.QueueSqlCommand(LogStore.LockHead);
        operations.QueueSqlCommand(
            LogStore.InsertLeaves,
            leaves.ConvertAll(leaf => leaf.Sequence).ToArray(),
            leaves.ConvertAll(leaf => leaf.EventId).ToArray(),
            leaves.ConvertAll(leaf => leaf.Type).ToArray(),
            leaves.ConvertAll(leaf => MerkleHash.OfLeaf(leaf.Encoded.Bytes).ToArray()).ToArray(),
            leaves.ConvertAll(leaf => leaf.Encoded.Bytes).ToArray(),
            leaves.ConvertAll(leaf => leaf.Encoded.DetachedData ?? []).ToArray());
        operations.QueueSqlCommand(LogStore.MoveHead);
        operations.QueueSqlCommand($"notify {LogStore.Channel}");
    }

    private string ShardOf(IDocumentOperations operations)
    {
        // The identifier of a single-tenant database is its tenant, which is our shard; the new Id knows the server's names only.
#pragma warning disable CS0618
        var database = operations.Database.Identifier;
#pragma warning restore CS0618
        return _shards.Names.FirstOrDefault(name => string.Equals(name, database, StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidOperationException($"The database {database} is no shard of this installation.");
    }

    // An exception that leaves a subscription stops it for good; a database that restarts must not.
    private async Task<List<Row>> ReadPatientlyAsync(string shard, long floor, long ceiling, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ReadAsync(shard, floor, ceiling, cancellationToken);
            }
            catch (NpgsqlException exception) when (exception.IsTransient && attempt < AttemptsMax)
            {
                await Task.Delay(RetryPause, cancellationToken);
            }
        }
    }

    private async Task<List<Row>> ReadAsync(string shard, long floor, long ceiling, CancellationToken cancellationToken)
    {
        var rows = new List<Row>();
        await using var command = _shards.DataSource(shard).CreateCommand(ReadEvents);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = floor });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = ceiling });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var type = reader.GetString(4);
            var leaf = new Leaf(
                shard,
                reader.GetString(2),
                reader.GetInt64(3),
                reader.GetGuid(1),
                type,
                new DateTimeOffset(reader.GetDateTime(6)),
                await reader.IsDBNullAsync(7, cancellationToken) ? null : reader.GetString(7),
                await reader.IsDBNullAsync(8, cancellationToken) ? null : reader.GetString(8));
            var encoded = leaf.Encode(System.Text.Encoding.UTF8.GetBytes(reader.GetString(5)));
            rows.Add(new Row(reader.GetInt64(0), leaf.Id, type, encoded));
        }

        return rows;
    }

    private sealed record Row(long Sequence, Guid EventId, string Type, EncodedLeaf Encoded);
}
