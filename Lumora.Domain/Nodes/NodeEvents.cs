using Lumora.Domain.Kernel;

namespace Lumora.Domain.Nodes;

/// <summary>
/// A provider registered a machine. The node proved that it holds its key by a signature over the owner's id
/// (<see cref="NodeOwnership"/>). Stream <c>node/{nodeId}</c>.
/// </summary>
/// <param name="NodeId">base58 of the node's Ed25519 public key.</param>
/// <param name="Owner">The provider's participant id, who is paid.</param>
/// <param name="Region">Coarse region that the provider chose to tell (<c>eu-west</c>), or null.</param>
/// <param name="Limits">What the provider allows from the start.</param>
/// <param name="RegisteredAt">When.</param>
[EventContract("node_registered")]
public sealed record NodeRegistered(
    string NodeId, string Owner, string? Region, NodeAllowance Limits, DateTimeOffset RegisteredAt);

/// <summary>The owner changed what the node may spend. Holds for leases from now on.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Limits">All limits, not the difference.</param>
/// <param name="SetAt">When.</param>
[EventContract("node_limits_set")]
public sealed record NodeLimitsSet(string NodeId, NodeAllowance Limits, DateTimeOffset SetAt);

/// <summary>The network stopped giving work to a node.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Reason">Why, for its owner.</param>
/// <param name="SuspendedAt">When.</param>
[EventContract("node_suspended")]
public sealed record NodeSuspended(string NodeId, string Reason, DateTimeOffset SuspendedAt);

/// <summary>A suspension ended.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Reason">Why, for its owner.</param>
/// <param name="ReinstatedAt">When.</param>
[EventContract("node_reinstated")]
public sealed record NodeReinstated(string NodeId, string Reason, DateTimeOffset ReinstatedAt);

/// <summary>What a provider allows one node to spend and to visit.</summary>
/// <param name="DailyBytesMax">Body bytes of leased pages per UTC day, 1 MiB to 2⁵³; null = no cap.</param>
/// <param name="ConcurrentLeasesMax">Open leases at a time, 1 to 16.</param>
/// <param name="BytesPerSecondMax">Rate, 1 KiB/s to 10 GiB/s; null = no cap.</param>
/// <param name="BlockedHosts">Hosts that this node never visits, lower case, at most 256.</param>
public sealed record NodeAllowance(
    long? DailyBytesMax, int ConcurrentLeasesMax, long? BytesPerSecondMax, IReadOnlyList<string> BlockedHosts)
{
    /// <summary>No caps, 2 leases at a time, every host.</summary>
    public static NodeAllowance Default { get; } = new(null, 2, null, []);
}
