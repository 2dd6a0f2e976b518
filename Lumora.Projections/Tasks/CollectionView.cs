using JasperFx.Events;
using Lumora.Domain.Tasks;
using Marten.Events.Aggregation;

namespace Lumora.Projections.Tasks;

/// <summary>A collection as it is shown; the progress of its tasks stands in <c>work_task</c>.</summary>
public sealed record CollectionView
{
    /// <summary>The stream: <c>collection/{id}</c>.</summary>
    public required string Id { get; init; }

    /// <summary><c>collection_…</c>.</summary>
    public required string CollectionId { get; init; }

    /// <summary>Participant id.</summary>
    public required string ProposedBy { get; init; }

    /// <summary>What to gather.</summary>
    public required CollectionPlan Plan { get; init; }

    /// <summary>age recipient of its results.</summary>
    public required string Recipient { get; init; }

    /// <summary>Where it stands.</summary>
    public CollectionPhase Phase { get; init; }

    /// <summary>Tasks it was cut into.</summary>
    public int Tasks { get; init; }

    /// <summary>Pages in them.</summary>
    public int Pages { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Failure { get; init; }

    /// <summary>When it was proposed.</summary>
    public DateTimeOffset ProposedAt { get; init; }

    /// <summary>When its last task ended.</summary>
    public DateTimeOffset? CompletedAt { get; init; }
}

/// <summary>Folds <c>collection/{id}</c>.</summary>
public sealed class CollectionViewProjection : SingleStreamProjection<CollectionView, string>
{
    /// <inheritdoc/>
    public override CollectionView? Evolve(CollectionView? snapshot, string id, IEvent e) => (e.Data, snapshot) switch
    {
        (CollectionProposed x, _) => new CollectionView
        {
            Id = id,
            CollectionId = x.CollectionId,
            ProposedBy = x.ProposedBy,
            Plan = x.Plan,
            Recipient = x.Recipient,
            ProposedAt = x.ProposedAt,
        },
        (CollectionApproved, { } s) => s with { Phase = CollectionPhase.Approved },
        (CollectionPlanned x, { } s) => s with { Phase = CollectionPhase.Running, Tasks = x.Tasks, Pages = x.Pages },
        (CollectionCompleted x, { } s) => s with { Phase = CollectionPhase.Completed, CompletedAt = x.CompletedAt },
        (CollectionFailed x, { } s) => s with { Phase = CollectionPhase.Failed, Failure = $"{x.Code}: {x.Detail}" },
        _ => snapshot,
    };
}
