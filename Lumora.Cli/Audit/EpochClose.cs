using System.Globalization;
using System.Numerics;
using Lumora.Domain.Kernel;
using Lumora.Domain.Rewards;

namespace Lumora.Cli.Audit;

/// <summary>How long an epoch is.</summary>
/// <param name="Seconds">1 to 604,800.</param>
/// <param name="IsKnown">The auditor said so; false when it is the default, and then no weight is called wrong for it.</param>
internal sealed record EpochLength(int Seconds, bool IsKnown)
{
    /// <summary>A day, the default of <c>Lumora:Rewards:EpochSeconds</c>.</summary>
    public static EpochLength Default { get; } = new(86_400, IsKnown: false);
}

/// <summary>An epoch that is being closed in the log: what went in, and what came out so far.</summary>
/// <param name="Sealed">The event that sealed it.</param>
/// <param name="Contributions">What the log holds for it.</param>
/// <param name="Nodes">What each node did.</param>
internal sealed record EpochClose(EpochInputsSealed Sealed, List<EpochInput> Contributions, List<NodeWork> Nodes)
{
    // Each node has one of two trusts; so many combinations are tried when the length of an epoch is not known.
    private const int TriedNodesMax = 12;

    /// <summary>Allocations as the log states them, in its order.</summary>
    public List<ProviderReward> Stated { get; init; } = [];

    /// <summary>Pools without a claim as the log states them.</summary>
    public List<PoolUnallocated> Left { get; init; } = [];

    /// <summary>Pages of allocations so far.</summary>
    public int Pages { get; set; }

    /// <summary>What is wrong with the seal itself: its sums, its pools and its root.</summary>
    public string? SealFault()
    {
        if (EpochDecider.Close(null, Inputs, Sealed.ClosedBy, Sealed.Reason, Sealed.SealedAt) is not Decision.Accepted { Events: [EpochInputsSealed expected, ..] })
            return "it has no reason of 3 to 500 characters";
        if (expected == Sealed)
            return null;
        return expected.InputRoot != Sealed.InputRoot
            ? string.Create(CultureInfo.InvariantCulture, $"its inputs have the root {Sealed.InputRoot}; the {Contributions.Count} contributions in the log have {expected.InputRoot}")
            : $"it says {Sealed}; the formula gives {expected}";
    }

    /// <summary>Takes a page of allocations.</summary>
    public string? Take(RewardsAllocated page)
    {
        Stated.AddRange(page.Allocations);
        return page.Page == Pages++ ? null : string.Create(CultureInfo.InvariantCulture, $"it is page {page.Page}, expected was {Pages - 1}");
    }

    /// <summary>Takes a pool without a claim.</summary>
    public string? Take(PoolUnallocated pool)
    {
        Left.Add(pool);
        return null;
    }

    /// <summary>
    /// What is wrong with the whole. Weights that another length of an epoch explains are called open unless the length is known.
    /// </summary>
    public string? Fault(EpochRewardsComputed said, bool lengthKnown, out bool weightsOpen)
    {
        weightsOpen = false;
        // A seal without a reason has been found already.
        if (EpochDecider.Close(null, Inputs, Sealed.ClosedBy, Sealed.Reason, said.ComputedAt) is not Decision.Accepted { Events: var events })
            return null;
        var rewards = events.OfType<RewardsAllocated>().SelectMany(page => page.Allocations).ToList();
        var weighed = Weighed(rewards, lengthKnown, out var fault);
        if (fault is not null)
            return fault;
        weightsOpen = !rewards.SequenceEqual(weighed);
        if (Differing(weighed) is { } reward)
            return reward;
        var left = weightsOpen && weighed.Count > 0 ? Left : [.. events.OfType<PoolUnallocated>()];
        if (!Left.SequenceEqual(left))
            return $"pools without a claim are {string.Join(", ", Left)}; the formula gives {string.Join(", ", left)}";
        var (paid, rest) = (weighed.Sum(one => one.Amount.Units), left.Sum(pool => pool.Amount.Units));
        if (said.Paid.Units != paid || said.Unallocated.Units != rest || paid + rest != Sealed.Emission.Units)
            return string.Create(
                CultureInfo.InvariantCulture, $"it says {said.Paid} paid and {said.Unallocated} left of {Sealed.Emission}; the formula gives {paid} and {rest}");
        var root = Domain.Merkle.CompactRange.RootOf(weighed.Select(one => new ReadOnlyMemory<byte>(EpochInputs.Leaf(one)))).ToString();
        if (said.RewardRoot != root || said.Providers != weighed.Count || said.CodeVersion != EpochDecider.CodeVersion)
            return $"it says {said}; the allocations have the root {root}";
        return null;
    }

    private EpochInputs Inputs => new(Sealed.Epoch, Sealed.Emission, Contributions, Nodes);

    /// <summary>What the formula gives, with the stated weights where another trust of a node explains them.</summary>
    private List<ProviderReward> Weighed(List<ProviderReward> rewards, bool lengthKnown, out string? fault)
    {
        fault = null;
        var stated = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var reward in Stated)
            stated[reward.Provider] = reward.Weight;
        if (rewards.TrueForAll(reward => stated.GetValueOrDefault(reward.Provider) == reward.Weight))
            return rewards;
        foreach (var reward in rewards)
        {
            if (stated.GetValueOrDefault(reward.Provider) is not { } weight)
                fault = $"{reward.Provider} worked and is not in the allocation";
            else if (weight != reward.Weight && (lengthKnown || !IsPossible(reward.Provider, weight)))
                fault = $"{reward.Provider} has the weight {weight}; the formula gives {reward.Weight}";
            if (fault is not null)
                return rewards;
        }

        var shares = Allocation.Allocate(
            Sealed.WorkPool, [.. rewards.Select(reward => new Weighted(reward.Provider, BigInteger.Parse(stated[reward.Provider], CultureInfo.InvariantCulture)))], Sealed.Epoch).Shares;
        return [.. rewards.Zip(shares, (reward, share) => reward with { Weight = stated[reward.Provider], Amount = share.Amount })];
    }

    private bool IsPossible(string provider, string weight)
    {
        if (!BigInteger.TryParse(weight, NumberStyles.None, CultureInfo.InvariantCulture, out var said))
            return false;
        var nodes = Nodes.Where(node => node.Owner == provider && !node.Suspended)
            .Select(node => Weights.Of(node with { EpochsKnown = 0 })).ToList();
        var least = nodes.Aggregate(BigInteger.Zero, (sum, one) => sum + one);
        if (said < least || said > 2 * least)
            return false;
        // A node that is trusted fully counts twice.
        return nodes.Count > TriedNodesMax || Enumerable.Range(0, 1 << nodes.Count).Any(
            full => said == least + nodes.Where((_, i) => (full >> i & 1) == 1).Aggregate(BigInteger.Zero, (sum, one) => sum + one));
    }

    private string? Differing(List<ProviderReward> expected)
    {
        for (var i = 0; i < Math.Max(expected.Count, Stated.Count); i++)
        {
            if (i >= Stated.Count)
                return $"{expected[i].Provider} worked and is not in the allocation";
            if (i >= expected.Count)
                return $"{Stated[i].Provider} is in the allocation and has no work in the log";
            if (Stated[i] != expected[i])
                return $"the log allocates {Stated[i]}; the formula gives {expected[i]}";
        }

        return null;
    }
}
