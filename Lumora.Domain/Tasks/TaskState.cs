namespace Lumora.Domain.Tasks;

/// <summary>Where a task stands.</summary>
public enum TaskPhase
{
    /// <summary>Waits for a node, from <see cref="TaskState.AvailableAt"/> on.</summary>
    Queued,

    /// <summary>A node has it.</summary>
    Leased,

    /// <summary>Delivered; the curator has not judged it.</summary>
    Completed,

    /// <summary>Done.</summary>
    Accepted,

    /// <summary>Given up.</summary>
    Abandoned,
}

/// <summary>Who has a task, and until when.</summary>
/// <param name="LeaseId"><c>lease_…</c>.</param>
/// <param name="NodeId">Who.</param>
/// <param name="LeasedAt">From.</param>
/// <param name="Deadline">Until.</param>
public sealed record TaskLease(string LeaseId, string NodeId, DateTimeOffset LeasedAt, DateTimeOffset Deadline);

/// <summary>A task as its stream tells it.</summary>
/// <param name="TaskId">The id.</param>
/// <param name="CollectionId">Part of.</param>
/// <param name="Host">The one host of its pages.</param>
/// <param name="Urls">Pages.</param>
/// <param name="AttemptsMax">Leases before it is abandoned.</param>
/// <param name="Phase">Where it stands.</param>
/// <param name="Attempts">Leases so far.</param>
/// <param name="AvailableAt">When it may be leased (again).</param>
/// <param name="Lease">The last lease.</param>
/// <param name="Output">What was delivered under it.</param>
/// <param name="Failures">Why earlier attempts failed.</param>
public sealed record TaskState(
    string TaskId,
    string CollectionId,
    string Host,
    IReadOnlyList<string> Urls,
    int AttemptsMax,
    TaskPhase Phase,
    int Attempts,
    DateTimeOffset AvailableAt,
    TaskLease? Lease,
    TaskOutput? Output,
    IReadOnlyList<string> Failures)
{
    /// <summary>Its stream.</summary>
    public string Id { get; init; } = StreamOf(TaskId);

    /// <summary>The stream of <paramref name="taskId"/>.</summary>
    public static string StreamOf(string taskId) => $"task/{taskId}";

    /// <summary>Folds one event into the state; unknown events change nothing.</summary>
    public static TaskState? Evolve(TaskState? state, object @event) => (@event, state) switch
    {
        (TaskCreated e, _) => new TaskState(
            e.TaskId, e.CollectionId, e.Host, e.Urls, e.AttemptsMax, TaskPhase.Queued, Attempts: 0, e.CreatedAt,
            Lease: null, Output: null, Failures: []),
        (TaskLeased e, { } s) => s with
        {
            Phase = TaskPhase.Leased,
            Attempts = e.Attempt,
            Lease = new TaskLease(e.LeaseId, e.NodeId, e.LeasedAt, e.Deadline),
            Output = null,
        },
        (TaskCompleted e, { } s) => s with { Phase = TaskPhase.Completed, Output = e.Output },
        (TaskAccepted, { } s) => s with { Phase = TaskPhase.Accepted },
        (TaskRejected e, { } s) => s.Failed(e.Code, e.AvailableAt),
        (LeaseExpired e, { } s) => s.Failed("lease_expired", e.AvailableAt),
        (LeaseRefused e, { } s) => s.Failed($"refused: {e.Code}", e.AvailableAt),
        (TaskAbandoned, { } s) => s with { Phase = TaskPhase.Abandoned },
        _ => state,
    };

    private TaskState Failed(string reason, DateTimeOffset availableAt) => this with
    {
        Phase = TaskPhase.Queued,
        AvailableAt = availableAt,
        Failures = [.. Failures, reason],
    };
}
