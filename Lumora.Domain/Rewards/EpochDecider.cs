using System.Globalization;
using System.Numerics;
using System.Text;
using Lumora.Domain.Kernel;
using Lumora.Domain.Merkle;

namespace Lumora.Domain.Rewards;

/// <summary>One contribution as an epoch's input.</summary>
/// <param name="ContributionId">The id.</param>
/// <param name="NodeId">Who worked.</param>
/// <param name="Owner">Who is paid.</param>
/// <param name="Bytes">How much.</param>
/// <param name="ReceiptHash">Of the receipt that both sides signed.</param>
public sealed record EpochInput(string ContributionId, string NodeId, string Owner, long Bytes, string ReceiptHash);

/// <summary>What a close works on; read under the lock that keeps later contributions out.</summary>
/// <param name="Epoch">Number.</param>
/// <param name="Emission">What the network pays.</param>
/// <param name="Contributions">All of the epoch, in any order.</param>
/// <param name="Nodes">What each node did; those with no contribution may be missing.</param>
public sealed record EpochInputs(
    long Epoch, Amount Emission, IReadOnlyList<EpochInput> Contributions, IReadOnlyList<NodeWork> Nodes)
{
    /// <summary>The leaf of a contribution: five lines of UTF-8, none of which can hold a line break.</summary>
    public static byte[] Leaf(EpochInput input) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"{input.ContributionId}\n{input.NodeId}\n{input.Owner}\n{input.Bytes}\n{input.ReceiptHash}"));

    /// <summary>The leaf of an allocation.</summary>
    public static byte[] Leaf(ProviderReward reward) => Encoding.UTF8.GetBytes(
        $"{reward.Provider}\n{reward.Weight}\n{reward.Amount}\n{reward.InputRoot}");
}

/// <summary>Closes epochs. Pure.</summary>
public static class EpochDecider
{
    /// <summary>Allocations in one event.</summary>
    public const int AllocationsPerPage = 512;

    /// <summary>Version of the arithmetic that <c>verify-epoch</c> has to use.</summary>
    public const string CodeVersion = "rewards/1";

    /// <summary>
    /// Seals, allocates and sums up, all in one commit. Closing a closed epoch again changes nothing: the first
    /// close stands, whoever asks.
    /// </summary>
    /// <param name="state">The epoch's state; null when open.</param>
    /// <param name="inputs">What happened in it.</param>
    /// <param name="steward">Who closes.</param>
    /// <param name="reason">Why now, 3 to 500 characters.</param>
    /// <param name="now">Truncated time.</param>
    public static Decision Close(
        EpochState? state, EpochInputs inputs, string steward, string reason, DateTimeOffset now)
    {
        if (state is not null)
            return Decision.Accept();
        if (reason.Trim().Length is < 3 or > 500)
            return Decision.Reject("reason_required", "Say why, in 3 to 500 characters.", "reason");

        var pools = Pools.Of(inputs.Emission);
        var ordered = inputs.Contributions.OrderBy(input => input.ContributionId, StringComparer.Ordinal).ToList();
        var rewards = Reward(inputs, ordered, pools.Work, out var workLeft);
        var left = Unallocated(inputs.Epoch, pools, workLeft).ToList();
        var paid = new Amount(rewards.Sum(reward => reward.Amount.Units));
        var unallocated = new Amount(left.Sum(pool => pool.Amount.Units));
        Check.That(paid + unallocated == inputs.Emission);

        return Decision.Accept(
        [
            new EpochInputsSealed(
                inputs.Epoch, inputs.Emission, pools.Work, pools.Availability, pools.Verification, ordered.Count,
                ordered.Select(input => input.NodeId).Distinct(StringComparer.Ordinal).Count(),
                ordered.Sum(input => input.Bytes), RootOf(ordered.Select(EpochInputs.Leaf)), steward, reason.Trim(), now),
            .. rewards.Chunk(AllocationsPerPage).Select((page, i) => new RewardsAllocated(inputs.Epoch, i, page)),
            .. left,
            new EpochRewardsComputed(
                inputs.Epoch, rewards.Count, paid, unallocated, RootOf(rewards.Select(EpochInputs.Leaf)), CodeVersion,
                now),
        ]);
    }

    /// <summary>All postings are done.</summary>
    public static Decision Pay(EpochState state, int transactions, DateTimeOffset now) => state.PaymentsDone
        ? Decision.Accept()
        : Decision.Accept(new EpochPaid(state.Epoch, transactions, now));

    private static List<ProviderReward> Reward(
        EpochInputs inputs, List<EpochInput> ordered, Amount pool, out Amount unallocated)
    {
        var weights = inputs.Nodes.GroupBy(node => node.Owner, StringComparer.Ordinal).ToDictionary(
            owner => owner.Key,
            owner => owner.Aggregate(BigInteger.Zero, (sum, node) => sum + Weights.Of(node)),
            StringComparer.Ordinal);
        var owners = ordered.GroupBy(input => input.Owner, StringComparer.Ordinal)
            .OrderBy(owner => owner.Key, StringComparer.Ordinal).ToList();
        var result = Allocation.Allocate(
            pool, [.. owners.Select(owner => new Weighted(owner.Key, weights[owner.Key]))], inputs.Epoch);
        unallocated = result.Unallocated;
        return
        [
            .. owners.Zip(result.Shares, (owner, share) => new ProviderReward(
                owner.Key,
                owner.Select(input => input.NodeId).Distinct(StringComparer.Ordinal).Count(),
                owner.Sum(input => input.Bytes),
                share.Weight.ToString(CultureInfo.InvariantCulture),
                share.Amount,
                RootOf(owner.Select(EpochInputs.Leaf)))),
        ];
    }

    private static string RootOf(IEnumerable<byte[]> leaves) =>
        CompactRange.RootOf(leaves.Select(leaf => new ReadOnlyMemory<byte>(leaf))).ToString();

    private static IEnumerable<PoolUnallocated> Unallocated(long epoch, Pools pools, Amount workLeft)
    {
        if (workLeft > Amount.Zero)
            yield return new PoolUnallocated(epoch, "work", workLeft, "no accepted work of a trusted node");
        if (pools.Availability > Amount.Zero)
            yield return new PoolUnallocated(epoch, "availability", pools.Availability, "no measured capacity");
        if (pools.Verification > Amount.Zero)
            yield return new PoolUnallocated(epoch, "verification", pools.Verification, "no verifiers");
    }
}
