using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tasks;

/// <summary>Where a collection stands.</summary>
public enum CollectionPhase
{
    /// <summary>Waits for a steward.</summary>
    Proposed,

    /// <summary>Waits to be cut into tasks.</summary>
    Approved,

    /// <summary>Its tasks are at work.</summary>
    Running,

    /// <summary>Every task has ended.</summary>
    Completed,

    /// <summary>Cannot run.</summary>
    Failed,
}

/// <summary>A collection as its stream tells it.</summary>
/// <param name="CollectionId">The id.</param>
/// <param name="ProposedBy">Participant id.</param>
/// <param name="Plan">What to gather.</param>
/// <param name="Recipient">age recipient of the results.</param>
/// <param name="Phase">Where it stands.</param>
/// <param name="Tasks">Tasks it was cut into; 0 before.</param>
public sealed record CollectionState(
    string CollectionId, string ProposedBy, CollectionPlan Plan, string Recipient, CollectionPhase Phase, int Tasks)
{
    /// <summary>Its stream.</summary>
    public string Id { get; init; } = StreamOf(CollectionId);

    /// <summary>The stream of <paramref name="collectionId"/>.</summary>
    public static string StreamOf(string collectionId) => $"collection/{collectionId}";

    /// <summary>Folds one event into the state; unknown events change nothing.</summary>
    public static CollectionState? Evolve(CollectionState? state, object @event) => (@event, state) switch
    {
        (CollectionProposed e, _) => new CollectionState(
            e.CollectionId, e.ProposedBy, e.Plan, e.Recipient, CollectionPhase.Proposed, Tasks: 0),
        (CollectionApproved, { } s) => s with { Phase = CollectionPhase.Approved },
        (CollectionPlanned e, { } s) => s with { Phase = CollectionPhase.Running, Tasks = e.Tasks },
        (CollectionCompleted, { } s) => s with { Phase = CollectionPhase.Completed },
        (CollectionFailed, { } s) => s with { Phase = CollectionPhase.Failed },
        _ => state,
    };
}

/// <summary>What may happen to a collection. Pure; the plan has passed <see cref="CollectionRules"/>.</summary>
public static class CollectionDecider
{
    /// <summary>Proposes; a steward's own proposal is approved in the same commit.</summary>
    public static Decision Propose(
        string collectionId, Actor actor, CollectionPlan plan, string recipient, DateTimeOffset now)
    {
        var proposed = new CollectionProposed(collectionId, actor.Id, plan, recipient, now);
        return actor.Has(Roles.Steward)
            ? Decision.Accept(proposed, new CollectionApproved(collectionId, actor.Id, now))
            : Decision.Accept(proposed);
    }

    /// <summary>A steward lets it run; a second approval changes nothing.</summary>
    public static Decision Approve(CollectionState? state, Actor actor, DateTimeOffset now) => state switch
    {
        null => Decision.Reject("unknown_collection", "There is no such collection.", "collectionId"),
        { Phase: CollectionPhase.Proposed } =>
            Decision.Accept(new CollectionApproved(state.CollectionId, actor.Id, now)),
        { Phase: CollectionPhase.Failed } =>
            Decision.Reject("collection_failed", "This collection cannot run; propose a new one.", "collectionId"),
        _ => Decision.Accept(),
    };

    /// <summary>Records that it was cut into <paramref name="batches"/>, or that there is nothing to fetch.</summary>
    public static Decision Plan(CollectionState state, IReadOnlyList<TaskBatch> batches, DateTimeOffset now)
    {
        if (state.Phase != CollectionPhase.Approved)
            return Decision.Accept();
        return batches.Count == 0
            ? Decision.Accept(new CollectionFailed(
                state.CollectionId, "no_pages", "No page of an allowed host was found.", now))
            : Decision.Accept(new CollectionPlanned(
                state.CollectionId, batches.Count, batches.Sum(batch => batch.Urls.Count), now));
    }

    /// <summary>Records the end, once every task has ended.</summary>
    public static Decision Complete(
        CollectionState state, int accepted, int abandoned, long records, DateTimeOffset now) =>
        state.Phase == CollectionPhase.Running && accepted + abandoned == state.Tasks
            ? Decision.Accept(new CollectionCompleted(state.CollectionId, accepted, abandoned, records, now))
            : Decision.Accept();
}
