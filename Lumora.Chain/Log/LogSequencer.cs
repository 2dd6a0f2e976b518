using JasperFx.Events;
using JasperFx.Events.Daemon;
using JasperFx.Events.Projections;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;
using Lumora.Projections.EventStore;
using Marten;
using Npgsql;
using Wolverine;
using Wolverine.Marten.Subscriptions;

namespace Lumora.Chain.Log;

/// <summary>
/// Turns committed events into leaves, in the order of the event store's sequence and with dense indexes of our own. Leaves
/// and head commit in one transaction, a range's last page with the subscription's progress too: a crash at any statement loses and
/// doubles nothing, for the head knows which events are leaves.
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
        limit $3
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
        // The page gives the range and nothing else: what stands in it is read raw, every row of it. Without a filter the
        // event store would read each event as well and make an object of it, for nobody, at several times the cost of its leaf.
        // This type is the one that it adds to any filter itself.
        IncludeType<Archived>();
        Options.BatchSize = PageEventsMax;
    }

    /// <inheritdoc/>
    public override async Task ProcessEventsAsync(
        EventRange page, ISubscriptionController controller, IDocumentOperations operations, IMessageBus bus,
        CancellationToken cancellationToken)
    {
        var shard = ShardOf(operations);
        var floor = page.SequenceFloor;
        var leaves = await ReadPatientlyAsync(shard, floor, page.SequenceCeiling, cancellationToken);
        // A range has no bound when the log is far behind. What fills a page of its own is committed in front of the range's last
        // page: should the range come again, the head knows these leaves. The next page is read and hashed meanwhile.
        while (leaves.Count == PageEventsMax)
        {
            var commit = CommitPatientlyAsync(shard, leaves, cancellationToken);
            floor = leaves[^1].Sequence;
            var next = ReadPatientlyAsync(shard, floor, page.SequenceCeiling, cancellationToken);
            await Task.WhenAll(commit, next);
            leaves = await next;
        }

        if (leaves.Count == 0)
            return;
        operations.QueueSqlCommand(LogStore.CreateHead);
        operations.QueueSqlCommand(LogStore.LockHead);
        operations.QueueSqlCommand(LogStore.InsertLeaves, Columns(leaves));
        operations.QueueSqlCommand(LogStore.MoveHead);
        operations.QueueSqlCommand(LogStore.Notify);
    }

    /// <summary>The parameters of <see cref="LogStore.InsertLeaves"/>.</summary>
    private static object[] Columns(List<Row> leaves)
    {
        var sequences = leaves.ConvertAll(leaf => leaf.Sequence).ToArray();
        return
        [
            sequences,
            Enumerable.Range(0, leaves.Count).ToArray(),
            sequences,
            leaves.ConvertAll(leaf => leaf.EventId).ToArray(),
            leaves.ConvertAll(leaf => leaf.Type).ToArray(),
            leaves.ConvertAll(leaf => MerkleHash.OfLeaf(leaf.Encoded.Bytes).ToArray()).ToArray(),
            leaves.ConvertAll(leaf => leaf.Encoded.Bytes).ToArray(),
            leaves.ConvertAll(leaf => leaf.Encoded.DetachedData).ToArray(),
        ];
    }

    /// <summary>A transaction of its own with leaves and head, the same statements as at the end of a range.</summary>
    private async Task CommitAsync(string shard, List<Row> leaves, CancellationToken cancellationToken)
    {
        await using var connection = await _shards.DataSource(shard).OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(LogStore.CreateHead));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(LogStore.LockHead));
        var insert = new NpgsqlBatchCommand(LogStore.InsertLeavesNumbered);
        foreach (var column in Columns(leaves))
            insert.Parameters.Add(new NpgsqlParameter { Value = column });
        batch.BatchCommands.Add(insert);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(LogStore.MoveHead));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(LogStore.Notify));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
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

    private Task<List<Row>> ReadPatientlyAsync(string shard, long floor, long ceiling, CancellationToken cancellationToken) =>
        PatientlyAsync(() => ReadAsync(shard, floor, ceiling, cancellationToken), cancellationToken);

    // A commit whose answer got lost is made again: the head knows its leaves.
    private Task<bool> CommitPatientlyAsync(string shard, List<Row> leaves, CancellationToken cancellationToken) =>
        PatientlyAsync(
            async () =>
            {
                await CommitAsync(shard, leaves, cancellationToken);
                return true;
            },
            cancellationToken);

    // An exception that leaves a subscription stops it for good; a database that restarts must not.
    private static async Task<T> PatientlyAsync<T>(Func<Task<T>> attemptAsync, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await attemptAsync();
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
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = PageEventsMax });
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
                TextOrNull(reader, 7),
                TextOrNull(reader, 8));
            var encoded = leaf.Encode(reader.GetFieldValue<byte[]>(5));
            rows.Add(new Row(reader.GetInt64(0), leaf.Id, type, encoded));
        }

        return rows;
    }

    // The row is in memory once it was read.
#pragma warning disable CA1849, MA0042
    private static string? TextOrNull(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
#pragma warning restore CA1849, MA0042

    private sealed record Row(long Sequence, Guid EventId, string Type, EncodedLeaf Encoded);
}
