using Lumora.Domain.Kernel;

namespace Lumora.Domain.Nodes;

/// <summary>What may happen to a node. Pure: time comes in, the signature is checked by the caller.</summary>
public static class NodeDecider
{
    private const long DailyBytesMin = 1 << 20;

    /// <summary>Registers a node, or answers nothing when the same owner registered it before.</summary>
    /// <param name="state">The node's state, null when unknown.</param>
    /// <param name="nodeId">base58 of its key; the caller has checked its form.</param>
    /// <param name="owner">Participant id of the caller.</param>
    /// <param name="proofHolds">Whether the signature over <see cref="NodeOwnership.SignedBytes"/> verified.</param>
    /// <param name="region">Coarse region or null.</param>
    /// <param name="limits">First limits.</param>
    /// <param name="now">Truncated time.</param>
    public static Decision Register(
        NodeState? state, string nodeId, string owner, bool proofHolds, string? region, NodeAllowance limits,
        DateTimeOffset now)
    {
        if (!proofHolds)
            return Decision.Reject("invalid_proof", "The proof is not this node's signature over your id.", "proof");
        if (region is not null && !IsRegion(region))
            return Decision.Reject("invalid_region", "A region is 2 to 32 of a-z, 0-9 and '-'.", "region");
        if (state is not null && state.Owner != owner)
            return Decision.Reject("node_taken", "This node is registered by another provider.", "nodeId");
        if (state is not null)
            return Decision.Accept();
        return Problem(limits) ?? Decision.Accept(new NodeRegistered(nodeId, owner, region, limits, now));
    }

    /// <summary>Sets the limits; only the owner may, and another's node answers as an unknown one.</summary>
    public static Decision SetLimits(NodeState? state, string owner, NodeAllowance limits, DateTimeOffset now)
    {
        if (state is null || state.Owner != owner)
            return Decision.Reject("unknown_node", "You have no node with this id.", "nodeId");
        if (Problem(limits) is { } problem)
            return problem;
        return Same(state.Limits, limits)
            ? Decision.Accept()
            : Decision.Accept(new NodeLimitsSet(state.NodeId, limits, now));
    }

    private static Decision? Problem(NodeAllowance limits)
    {
        if (limits.DailyBytesMax is < DailyBytesMin or > 1L << 53)
            return Decision.Reject("invalid_limit", "The daily cap is 1 MiB to 2^53 bytes, or none.", "dailyBytesMax");
        if (limits.ConcurrentLeasesMax is < 1 or > 16)
            return Decision.Reject("invalid_limit", "1 to 16 leases at a time.", "concurrentLeasesMax");
        if (limits.BytesPerSecondMax is < 1_024 or > 10L << 30)
            return Decision.Reject("invalid_limit", "The rate is 1 KiB/s to 10 GiB/s, or none.", "bytesPerSecondMax");
        if (limits.BlockedHosts.Count > 256 || limits.BlockedHosts.Any(host => host.Length is 0 or > 253))
            return Decision.Reject("invalid_limit", "At most 256 hosts of up to 253 characters.", "blockedHosts");
        return null;
    }

    private static bool Same(NodeAllowance a, NodeAllowance b) =>
        a.DailyBytesMax == b.DailyBytesMax && a.ConcurrentLeasesMax == b.ConcurrentLeasesMax
        && a.BytesPerSecondMax == b.BytesPerSecondMax && a.BlockedHosts.SequenceEqual(b.BlockedHosts, StringComparer.Ordinal);

    private static bool IsRegion(string text) =>
        text.Length is >= 2 and <= 32 && text.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');
}
