using JasperFx.Events;
using Lumora.Domain.Tasks;
using Marten;
using Marten.Events.Projections;

namespace Lumora.Projections.Tasks;

/// <summary>
/// Keeps <c>work_task</c>, <c>work_lease</c> and the politeness slots in the transaction of the events: whoever
/// reads the queue reads what has been committed, nothing else.
/// </summary>
public sealed class TaskTables : IProjection
{
    private const string EndLease =
        "update work_lease set state = ?, ended_at = ?, code = ?, detail = ? where lease_id = ?";

    private const string FreeSlot = "update work_host_slot set lease_id = null where lease_id = ?";

    private const string Requeue =
        "update work_task set phase = 'queued', available_at = ?, deadline = null, reason = ? where task_id = ?";

    /// <inheritdoc/>
    public Task ApplyAsync(
        IDocumentOperations operations, IReadOnlyList<IEvent> events, CancellationToken cancellation)
    {
        foreach (var e in events)
            Apply(operations, e.Data);
        return Task.CompletedTask;
    }

    private static void Apply(IDocumentOperations db, object @event)
    {
        switch (@event)
        {
            case TaskCreated e:
                Create(db, e);
                break;
            case TaskLeased e:
                Lease(db, e);
                break;
            case TaskCompleted e:
                Complete(db, e);
                break;
            case TaskAccepted e:
                db.QueueSqlCommand(
                    "update work_task set phase = 'accepted', result_id = ?, accepted_at = ? where task_id = ?",
                    e.ResultId, e.AcceptedAt, e.TaskId);
                db.QueueSqlCommand("update work_lease set state = 'accepted' where lease_id = ?", e.LeaseId);
                break;
            case TaskRejected e:
                db.QueueSqlCommand(EndLease, "rejected", e.RejectedAt, e.Code, e.Detail, e.LeaseId);
                db.QueueSqlCommand(Requeue, e.AvailableAt, e.Code, e.TaskId);
                break;
            case LeaseExpired e:
                db.QueueSqlCommand(EndLease, "expired", e.ExpiredAt, "lease_expired", "No result came in time.", e.LeaseId);
                db.QueueSqlCommand(FreeSlot, e.LeaseId);
                db.QueueSqlCommand(Requeue, e.AvailableAt, "lease_expired", e.TaskId);
                break;
            case LeaseRefused e:
                db.QueueSqlCommand(EndLease, "refused", e.RefusedAt, e.Code, e.Detail, e.LeaseId);
                db.QueueSqlCommand(FreeSlot, e.LeaseId);
                db.QueueSqlCommand(Requeue, e.AvailableAt, e.Code, e.TaskId);
                break;
            case TaskAbandoned e:
                db.QueueSqlCommand("update work_task set phase = 'abandoned' where task_id = ?", e.TaskId);
                break;
        }
    }

    private static void Create(IDocumentOperations db, TaskCreated e)
    {
        db.QueueSqlCommand(
            "insert into work_task (task_id, collection_id, host, phase, pages, attempts, available_at, records) "
            + "values (?, ?, ?, 'queued', ?, 0, ?, 0)",
            e.TaskId, e.CollectionId, e.Host, e.Urls.Count, e.CreatedAt);
        db.QueueSqlCommand(
            "insert into work_host_slot (host, slot) select ?, g from generate_series(1, ?) g on conflict do nothing",
            e.Host, TasksStore.SlotsPerHost);
    }

    private static void Lease(IDocumentOperations db, TaskLeased e)
    {
        db.QueueSqlCommand(
            "update work_task set phase = 'leased', attempts = ?, lease_id = ?, node_id = ?, deadline = ?, reason = null "
            + "where task_id = ?",
            e.Attempt, e.LeaseId, e.NodeId, e.Deadline, e.TaskId);
        db.QueueSqlCommand(
            "insert into work_lease (lease_id, task_id, node_id, state, leased_at, deadline, bytes, records) "
            + "values (?, ?, ?, 'leased', ?, ?, 0, 0)",
            e.LeaseId, e.TaskId, e.NodeId, e.LeasedAt, e.Deadline);
    }

    private static void Complete(IDocumentOperations db, TaskCompleted e)
    {
        db.QueueSqlCommand(
            "update work_task set phase = 'completed', deadline = null, records = ?, content_root = ?, "
            + "ciphertext_sha256 = ?, receipt_hash = ? where task_id = ?",
            e.Output.Records, e.Output.ContentRoot, e.Output.CiphertextSha256, e.Output.ReceiptHash, e.TaskId);
        db.QueueSqlCommand(
            "update work_lease set state = 'completed', ended_at = ?, bytes = ?, records = ? where lease_id = ?",
            e.CompletedAt, e.Output.Receipt.BytesIn, e.Output.Records, e.LeaseId);
        db.QueueSqlCommand(FreeSlot, e.LeaseId);
    }
}
