using JasperFx.Events;
using JasperFx.Events.Projections;
using Lumora.Domain.Nodes;
using Lumora.Projections.EventStore;
using Marten;
using Marten.Events.Aggregation;

namespace Lumora.Projections.Nodes;

/// <summary>The views of nodes.</summary>
public static class NodesStore
{
    /// <summary>Adds the slice to the store.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Projections.Add(new LiveState<NodeState>(NodeState.Evolve), ProjectionLifecycle.Live);
        options.Projections.Add(new NodeViewProjection(), ProjectionLifecycle.Inline);
        options.Schema.For<NodeView>().Index(node => node.Owner);
    }
}

/// <summary>A node as its owner sees it.</summary>
public sealed record NodeView
{
    /// <summary>The stream: <c>node/{nodeId}</c>.</summary>
    public required string Id { get; init; }

    /// <summary>base58 of its Ed25519 public key.</summary>
    public required string NodeId { get; init; }

    /// <summary>Participant id of the provider.</summary>
    public required string Owner { get; init; }

    /// <summary>Coarse region, or null.</summary>
    public string? Region { get; init; }

    /// <summary>Limits in force.</summary>
    public required NodeAllowance Limits { get; init; }

    /// <summary>Why it is suspended; null while it is not.</summary>
    public string? SuspendedBecause { get; init; }

    /// <summary>When it was registered.</summary>
    public DateTimeOffset RegisteredAt { get; init; }
}

/// <summary>Folds <c>node/{nodeId}</c>.</summary>
public sealed class NodeViewProjection : SingleStreamProjection<NodeView, string>
{
    /// <inheritdoc/>
    public override NodeView? Evolve(NodeView? snapshot, string id, IEvent e) => (e.Data, snapshot) switch
    {
        (NodeRegistered x, _) => new NodeView
        {
            Id = id,
            NodeId = x.NodeId,
            Owner = x.Owner,
            Region = x.Region,
            Limits = x.Limits,
            RegisteredAt = x.RegisteredAt,
        },
        (NodeLimitsSet x, { } s) => s with { Limits = x.Limits },
        (NodeSuspended x, { } s) => s with { SuspendedBecause = x.Reason },
        (NodeReinstated, { } s) => s with { SuspendedBecause = null },
        _ => snapshot,
    };
}
