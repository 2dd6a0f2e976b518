using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Projections.EventStore;
using Lumora.Projections.Nodes;
using Lumora.Projections.Tasks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lumora.Api.Tasks;

/// <summary>
/// Takes a task out of the queue for a node. The row of the task and a politeness slot of its host are locked
/// (<c>for update skip locked</c>) in the transaction that appends <see cref="TaskLeased"/>: two hosts never give
/// one task away twice, and none waits for the other.
/// </summary>
internal sealed class LeaseClaims(ShardSessions sessions, IOptions<TasksOptions> options, TimeProvider clock)
{
    // A task that this node just failed comes last: another node may do better.
    private const string Candidate =
        """
        select t.task_id, s.slot from work_task t
        join work_host_slot s on s.host = t.host and s.lease_id is null
        where t.phase = 'queued' and t.available_at <= @now and not (t.host = any(@blocked))
        order by t.node_id is not distinct from @node, t.task_id, s.slot
        limit 1 for update of t, s skip locked
        """;

    private const string Spent =
        """
        select count(*) filter (where state = 'leased'), coalesce(sum(bytes) filter (where leased_at >= @day), 0)::bigint
        from work_lease where node_id = @node and (state = 'leased' or leased_at >= @day)
        """;

    /// <summary>A lease for <paramref name="node"/>, or null when nothing fits it now.</summary>
    public async Task<Lease?> TryClaimAsync(NodeView node, CancellationToken ct)
    {
        var now = clock.Now();
        await using var connection = await sessions.DataSource(ShardRole.Region).OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (!await HasRoomAsync(connection, node, now, ct))
            return null;
        if (await CandidateAsync(connection, node, now, ct) is not var (taskId, slot))
            return null;

        var actor = new Actor($"node:{node.NodeId}", Roles.Node);
        await using var session = sessions.Open(ShardRole.Region, actor, transaction);
        var stream = await session.Events.FetchForWriting<TaskState>(TaskState.StreamOf(taskId), ct);
        var task = stream.Aggregate!;
        var leaseId = TypeId.Format("lease", Guid.CreateVersion7(now));
        var deadline = now + options.Value.LeaseFor(task.Urls.Count);
        if (TaskDecider.Lease(task, leaseId, node.NodeId, now, deadline) is not Decision.Accepted accepted)
            return null;
        stream.AppendMany(accepted.Events);
        session.QueueSqlCommand(
            "update work_host_slot set lease_id = ? where host = ? and slot = ?", leaseId, task.Host, slot);
        var collection = await session.LoadAsync<CollectionView>(CollectionState.StreamOf(task.CollectionId), ct);
        await session.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return Message(task, (TaskLeased)accepted.Events[0], collection!);
    }

    private static Lease Message(TaskState task, TaskLeased leased, CollectionView collection) => new(
        leased.LeaseId, task.TaskId, task.CollectionId, leased.Attempt, leased.Deadline, task.Urls,
        collection.Plan.AllowedHosts, collection.Plan.Rules, collection.Plan.PageBytesMax,
        collection.Plan.RecordsPerPageMax, collection.Recipient, collection.Plan.Redact, collection.Plan.RecordSelector);

    /// <summary>Whether the provider's limits leave room for another lease. Serialises the claims of one node.</summary>
    private static async Task<bool> HasRoomAsync(
        NpgsqlConnection connection, NodeView node, DateTimeOffset now, CancellationToken ct)
    {
        await using (var turn = new NpgsqlCommand("select pg_advisory_xact_lock(hashtextextended(@node, 1))", connection))
        {
            turn.Parameters.AddWithValue("node", node.NodeId);
            await turn.ExecuteNonQueryAsync(ct);
        }

        await using var spent = new NpgsqlCommand(Spent, connection);
        spent.Parameters.AddWithValue("node", node.NodeId);
        spent.Parameters.AddWithValue("day", new DateTimeOffset(now.Date, TimeSpan.Zero));
        await using var reader = await spent.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return reader.GetInt64(0) < node.Limits.ConcurrentLeasesMax
            && reader.GetInt64(1) < (node.Limits.DailyBytesMax ?? long.MaxValue);
    }

    private static async Task<(string TaskId, int Slot)?> CandidateAsync(
        NpgsqlConnection connection, NodeView node, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Candidate, connection);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("node", node.NodeId);
        command.Parameters.AddWithValue("blocked", node.Limits.BlockedHosts.ToArray());
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? (reader.GetString(0), reader.GetInt32(1)) : null;
    }
}
