namespace Lumora.Domain.Nodes;

/// <summary>A node as its stream tells it.</summary>
/// <param name="NodeId">base58 of its Ed25519 public key.</param>
/// <param name="Owner">The provider's participant id.</param>
/// <param name="Limits">The limits now in force.</param>
/// <param name="Suspended">True while it gets no work.</param>
/// <param name="RegisteredAt">When it joined; trust grows with age.</param>
public sealed record NodeState(
    string NodeId, string Owner, NodeAllowance Limits, bool Suspended, DateTimeOffset RegisteredAt)
{
    /// <summary>Its stream.</summary>
    public string Id { get; init; } = StreamOf(NodeId);

    /// <summary>The stream of <paramref name="nodeId"/>.</summary>
    public static string StreamOf(string nodeId) => $"node/{nodeId}";

    /// <summary>Folds one event into the state; unknown events change nothing.</summary>
    public static NodeState? Evolve(NodeState? state, object @event) => (@event, state) switch
    {
        (NodeRegistered e, _) => new NodeState(e.NodeId, e.Owner, e.Limits, Suspended: false, e.RegisteredAt),
        (NodeLimitsSet e, { } s) => s with { Limits = e.Limits },
        (NodeSuspended, { } s) => s with { Suspended = true },
        (NodeReinstated, { } s) => s with { Suspended = false },
        _ => state,
    };
}
