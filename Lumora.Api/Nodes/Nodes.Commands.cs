using Lumora.Api.EventStore;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Projections.EventStore;
using Lumora.Projections.Nodes;

namespace Lumora.Api.Nodes;

/// <summary>Registers a node for the caller.</summary>
/// <param name="Actor">The provider.</param>
/// <param name="NodeId">base58 of the node's Ed25519 public key.</param>
/// <param name="Proof">base64 of the node's signature over <see cref="NodeOwnership.SignedBytes"/>.</param>
/// <param name="Region">Coarse region, or null.</param>
/// <param name="Limits">First limits.</param>
public sealed record RegisterNode(Actor Actor, string NodeId, string Proof, string? Region, NodeAllowance Limits);

/// <summary>Handles <see cref="RegisterNode"/>.</summary>
public static class RegisterNodeHandler
{
    /// <summary>Answers the node; the same registration again answers the same node.</summary>
    public static async Task<Result<NodeView>> HandleAsync(
        RegisterNode command, ShardSessions sessions, ICurve25519 curve, TimeProvider clock, CancellationToken ct)
    {
        if (NodeKey.Read(command.NodeId) is not { } key)
            return new Rejection("invalid_node", "A node id is base58 of an Ed25519 public key.", "nodeId");
        var proof = new byte[64];
        var holds = Convert.TryFromBase64String(command.Proof, proof, out var length)
            && length == proof.Length
            && curve.Ed25519Verify(key, NodeOwnership.SignedBytes(command.Actor.Id), proof);

        await using var session = sessions.Open(ShardRole.Region, command.Actor);
        var id = NodeState.StreamOf(command.NodeId);
        var stream = await session.Events.FetchForWriting<NodeState>(id, ct);
        var decision = NodeDecider.Register(
            stream.Aggregate, command.NodeId, command.Actor.Id, holds, command.Region, command.Limits, clock.Now());
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        await session.CommitAsync(stream, decision, ct);
        return (await session.LoadAsync<NodeView>(id, ct))!;
    }
}

/// <summary>Sets the limits of one of the caller's nodes.</summary>
/// <param name="Actor">The provider.</param>
/// <param name="NodeId">The node.</param>
/// <param name="Limits">All limits.</param>
public sealed record SetNodeLimits(Actor Actor, string NodeId, NodeAllowance Limits);

/// <summary>Handles <see cref="SetNodeLimits"/>.</summary>
public static class SetNodeLimitsHandler
{
    /// <summary>Answers the node with its new limits.</summary>
    public static async Task<Result<NodeView>> HandleAsync(
        SetNodeLimits command, ShardSessions sessions, TimeProvider clock, CancellationToken ct)
    {
        if (NodeKey.Read(command.NodeId) is null)
            return new Rejection("invalid_node", "A node id is base58 of an Ed25519 public key.", "nodeId");
        await using var session = sessions.Open(ShardRole.Region, command.Actor);
        var id = NodeState.StreamOf(command.NodeId);
        var stream = await session.Events.FetchForWriting<NodeState>(id, ct);
        var decision = NodeDecider.SetLimits(stream.Aggregate, command.Actor.Id, command.Limits, clock.Now());
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        await session.CommitAsync(stream, decision, ct);
        return (await session.LoadAsync<NodeView>(id, ct))!;
    }
}
