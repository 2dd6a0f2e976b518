using Lumora.Api.EventStore;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Projections.EventStore;
using Lumora.Projections.Tasks;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Tasks;

/// <summary>A proposed collection as it is answered: the view, or every problem at once.</summary>
/// <param name="Collection">The collection; null when the plan breaks a rule.</param>
/// <param name="Problems">All broken rules, each with the field at fault.</param>
public sealed record ProposedCollection(CollectionView? Collection, IReadOnlyList<Rejection> Problems);

/// <summary>Proposes a collection.</summary>
/// <param name="Actor">A steward, whose proposal is approved at once, or a consumer.</param>
/// <param name="Plan">What to gather.</param>
public sealed record ProposeCollection(Actor Actor, CollectionPlan Plan);

/// <summary>Where collections are proposed and approved.</summary>
public interface ICollectionProposals
{
    /// <summary>Checks every rule, then makes the collection's key and the collection.</summary>
    Task<ProposedCollection> ProposeAsync(ProposeCollection command, CancellationToken ct);

    /// <summary>A steward lets a consumer's proposal run.</summary>
    Task<Result<CollectionView>> ApproveAsync(Actor steward, string collectionId, CancellationToken ct);
}

/// <inheritdoc cref="ICollectionProposals"/>
internal sealed class CollectionProposals(
    ShardSessions sessions, CollectionKeys keys, ISelectorSyntax syntax, IOptions<TasksOptions> options,
    WorkSignals signals, TimeProvider clock) : ICollectionProposals
{
    /// <inheritdoc/>
    public async Task<ProposedCollection> ProposeAsync(ProposeCollection command, CancellationToken ct)
    {
        var checkedPlan = new CollectionRules(syntax, options.Value.AllowLoopback).Validate(command.Plan);
        if (!checkedPlan.IsValid)
        {
            return new ProposedCollection(
                null,
                [
                    .. checkedPlan.Errors.Select(e => new Rejection(
                        "invalid_collection", e.ErrorMessage, WireName(e.PropertyName))),
                ]);
        }

        var now = clock.Now();
        var id = TypeId.Format("collection", Guid.CreateVersion7(now));
        var decision = CollectionDecider.Propose(id, command.Actor, command.Plan, keys.Create(id), now);
        await using var session = sessions.Open(ShardRole.Region, command.Actor);
        session.Events.StartStream<CollectionState>(
            CollectionState.StreamOf(id), ((Decision.Accepted)decision).Events);
        await session.SaveChangesAsync(ct);
        signals.Collections.Set();
        return new ProposedCollection(
            await session.LoadAsync<CollectionView>(CollectionState.StreamOf(id), ct), []);
    }

    /// <inheritdoc/>
    public async Task<Result<CollectionView>> ApproveAsync(Actor steward, string collectionId, CancellationToken ct)
    {
        if (!TypeId.IsValid("collection", collectionId))
            return new Rejection("unknown_collection", "There is no such collection.", "collectionId");
        await using var session = sessions.Open(ShardRole.Region, steward);
        var stream = await session.Events.FetchForWriting<CollectionState>(
            CollectionState.StreamOf(collectionId), ct);
        var decision = CollectionDecider.Approve(stream.Aggregate, steward, clock.Now());
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        await session.CommitAsync(stream, decision, ct);
        signals.Collections.Set();
        return (await session.LoadAsync<CollectionView>(CollectionState.StreamOf(collectionId), ct))!;
    }

    // The plan's rules are the input's fields.
    private static string WireName(string property) => property.StartsWith(nameof(CollectionPlan.Rules), StringComparison.Ordinal)
        ? "fields" + property[nameof(CollectionPlan.Rules).Length..]
        : string.Join('.', property.Split('.').Select(part => char.ToLowerInvariant(part[0]) + part[1..]));
}
