using Lumora.Domain.Bandwidth;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tasks;

/// <summary>What may happen to a task. Pure: time and ids come in as arguments.</summary>
public static class TaskDecider
{
    private const int DetailLengthMax = 500;
    private static readonly TimeSpan BackoffFirst = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BackoffMax = TimeSpan.FromMinutes(10);

    /// <summary>The wait after failure number <paramref name="attempt"/>: 2 s, doubled, at most 10 minutes.</summary>
    public static TimeSpan Backoff(int attempt) =>
        attempt >= 10 ? BackoffMax : TimeSpan.FromTicks(BackoffFirst.Ticks << (attempt - 1));

    /// <summary>Gives the task to a node until <paramref name="deadline"/>.</summary>
    public static Decision Lease(
        TaskState state, string leaseId, string nodeId, DateTimeOffset now, DateTimeOffset deadline)
    {
        if (state.Phase != TaskPhase.Queued || now < state.AvailableAt)
            return Decision.Reject("task_not_available", "The task is not waiting for a node.");
        Check.That(deadline > now);
        Check.That(state.Attempts < state.AttemptsMax);
        return Decision.Accept(new TaskLeased(state.TaskId, leaseId, nodeId, state.Attempts + 1, now, deadline));
    }

    /// <summary>
    /// Checks that <paramref name="nodeId"/> may act under <paramref name="leaseId"/> now. Another's lease answers
    /// as an unknown one. Null when it may.
    /// </summary>
    public static Rejection? WhyNot(TaskState? state, string leaseId, string nodeId, DateTimeOffset now)
    {
        if (state?.Lease is not { } lease || lease.LeaseId != leaseId || lease.NodeId != nodeId)
            return new Rejection("unknown_lease", "You hold no lease with this id.", "leaseId");
        if (state.Phase != TaskPhase.Leased)
            return new Rejection("lease_finished", "This lease has ended.", "leaseId");
        return now > lease.Deadline
            ? new Rejection("lease_expired", $"The deadline was {lease.Deadline.ToWire()}.", "leaseId")
            : null;
    }

    /// <summary>Takes a delivery. The same delivery again changes nothing; another one is refused.</summary>
    public static Decision Complete(
        TaskState? state, string leaseId, string nodeId, TaskOutput output, DateTimeOffset now)
    {
        var same = state?.Lease?.LeaseId == leaseId && state.Lease.NodeId == nodeId
            && state.Output?.ReceiptHash == output.ReceiptHash;
        if (same && state!.Phase is TaskPhase.Completed or TaskPhase.Accepted)
            return Decision.Accept();
        if (WhyNot(state, leaseId, nodeId, now) is { } reason)
            return new Decision.Rejected(reason);
        return Decision.Accept(new TaskCompleted(state!.TaskId, leaseId, nodeId, output, now));
    }

    /// <summary>The node gives it back.</summary>
    public static Decision Refuse(
        TaskState? state, string leaseId, string nodeId, string code, string detail, DateTimeOffset now)
    {
        if (WhyNot(state, leaseId, nodeId, now) is { } reason)
            return new Decision.Rejected(reason);
        var refused = new LeaseRefused(
            state!.TaskId, leaseId, nodeId, code, Shorten(detail), now, now + Backoff(state.Attempts));
        return WithEnd(state, refused, now);
    }

    /// <summary>The deadline has passed. Does nothing when the lease has ended otherwise: sweepers may race.</summary>
    public static Decision Expire(TaskState state, string leaseId, DateTimeOffset now)
    {
        if (state.Phase != TaskPhase.Leased || state.Lease!.LeaseId != leaseId || now <= state.Lease.Deadline)
            return Decision.Accept();
        var expired = new LeaseExpired(
            state.TaskId, leaseId, state.Lease.NodeId, now, now + Backoff(state.Attempts));
        return WithEnd(state, expired, now);
    }

    /// <summary>The result is as promised: accepted, and its work recorded, in one commit.</summary>
    /// <param name="state">A completed task; anything else changes nothing.</param>
    /// <param name="resultId">New id.</param>
    /// <param name="contributionId">New id.</param>
    /// <param name="owner">The node's provider.</param>
    /// <param name="epoch">The open epoch that pays.</param>
    /// <param name="pageBytesMax">Cap per page, of the collection.</param>
    /// <param name="now">Truncated time.</param>
    public static Decision Accept(
        TaskState state, string resultId, string contributionId, string owner, long epoch, long pageBytesMax,
        DateTimeOffset now)
    {
        if (state.Phase != TaskPhase.Completed)
            return Decision.Accept();
        var (lease, output) = (state.Lease!, state.Output!);
        var (pages, bytes) = Work.Of(output.Pages, pageBytesMax);
        return Decision.Accept(
            new TaskAccepted(state.TaskId, lease.LeaseId, lease.NodeId, resultId, output.Records, now),
            new ContributionRecorded(
                contributionId, lease.NodeId, owner, state.TaskId, lease.LeaseId, state.CollectionId, epoch, pages,
                bytes, output.ReceiptHash, now));
    }

    /// <summary>The result is not as promised.</summary>
    public static Decision Reject(TaskState state, string code, string detail, DateTimeOffset now)
    {
        if (state.Phase != TaskPhase.Completed)
            return Decision.Accept();
        var rejected = new TaskRejected(
            state.TaskId, state.Lease!.LeaseId, state.Lease.NodeId, code, Shorten(detail), now,
            now + Backoff(state.Attempts));
        return WithEnd(state, rejected, now);
    }

    private static Decision WithEnd(TaskState state, object failure, DateTimeOffset now)
    {
        var after = TaskState.Evolve(state, failure)!;
        return state.Attempts < state.AttemptsMax
            ? Decision.Accept(failure)
            : Decision.Accept(failure, new TaskAbandoned(state.TaskId, after.Failures, now));
    }

    private static string Shorten(string text) => text.Length <= DetailLengthMax ? text : text[..DetailLengthMax];
}
