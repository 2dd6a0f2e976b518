using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;

namespace Lumora.Domain.Tests.Nodes;

public sealed class NodeDeciderTests
{
    private static readonly DateTimeOffset T0 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly NodeRegistered Registered = new("node1", "participant_1", "eu", NodeAllowance.Default, T0);
    private static readonly NodeState State = NodeState.Evolve(null, Registered)!;

    private static Decision Register(NodeState? state, string owner, bool proofHolds) =>
        NodeDecider.Register(state, "node1", owner, proofHolds, "eu", NodeAllowance.Default, T0);

    [Fact]
    public void A_node_whose_key_is_proven_is_registered_once()
    {
        Assert.Equal(
            [Registered], Assert.IsType<Decision.Accepted>(Register(null, "participant_1", proofHolds: true)).Events);
        Assert.Empty(Assert.IsType<Decision.Accepted>(Register(State, "participant_1", proofHolds: true)).Events);
    }

    [Fact]
    public void Without_a_proof_or_with_another_owner_it_is_refused()
    {
        Assert.Equal("invalid_proof",
            Assert.IsType<Decision.Rejected>(Register(null, "participant_1", proofHolds: false)).Reason.Code);
        Assert.Equal("node_taken",
            Assert.IsType<Decision.Rejected>(Register(State, "participant_2", proofHolds: true)).Reason.Code);
    }

    [Fact]
    public void Only_the_owner_sets_limits_within_their_range()
    {
        var limits = NodeAllowance.Default with { ConcurrentLeasesMax = 4 };
        Assert.Equal("unknown_node",
            Assert.IsType<Decision.Rejected>(NodeDecider.SetLimits(State, "participant_2", limits, T0)).Reason.Code);
        Assert.Equal("concurrentLeasesMax", Assert.IsType<Decision.Rejected>(NodeDecider.SetLimits(
            State, "participant_1", limits with { ConcurrentLeasesMax = 17 }, T0)).Reason.Field);
        Assert.Equal([new NodeLimitsSet("node1", limits, T0)],
            Assert.IsType<Decision.Accepted>(NodeDecider.SetLimits(State, "participant_1", limits, T0)).Events);
    }
}
