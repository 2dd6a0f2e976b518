using Lumora.Domain.Kernel;

namespace Lumora.Domain.Rewards;

/// <summary>
/// No contribution enters this epoch any more; what comes later belongs to the next open one. Stream
/// <c>epoch/{n}</c>.
/// </summary>
/// <param name="Epoch">Number.</param>
/// <param name="Emission">What the network pays for this epoch; the sum of the pools.</param>
/// <param name="WorkPool">Part for accepted work.</param>
/// <param name="AvailabilityPool">Part for availability.</param>
/// <param name="VerificationPool">Part for verifiers.</param>
/// <param name="Contributions">How many.</param>
/// <param name="Nodes">Of how many nodes.</param>
/// <param name="Bytes">Σ of their bytes.</param>
/// <param name="InputRoot">RFC 6962 root over the contributions, ordered by id (<see cref="EpochInputs"/>), hex.</param>
/// <param name="ClosedBy">The steward.</param>
/// <param name="Reason">The steward's reason.</param>
/// <param name="SealedAt">When.</param>
[EventContract("epoch_inputs_sealed")]
public sealed record EpochInputsSealed(
    long Epoch, Amount Emission, Amount WorkPool, Amount AvailabilityPool, Amount VerificationPool, int Contributions,
    int Nodes, long Bytes, string InputRoot, string ClosedBy, string Reason, DateTimeOffset SealedAt);

/// <summary>A page of the allocation, ordered by provider.</summary>
/// <param name="Epoch">Number.</param>
/// <param name="Page">0-based.</param>
/// <param name="Allocations">At most 512.</param>
[EventContract("rewards_allocated")]
public sealed record RewardsAllocated(long Epoch, int Page, IReadOnlyList<ProviderReward> Allocations);

/// <summary>A pool without a claim goes to the treasury.</summary>
/// <param name="Epoch">Number.</param>
/// <param name="Pool"><c>work</c>, <c>availability</c> or <c>verification</c>.</param>
/// <param name="Amount">All of it.</param>
/// <param name="Reason">Why nobody has a claim.</param>
[EventContract("pool_unallocated")]
public sealed record PoolUnallocated(long Epoch, string Pool, Amount Amount, string Reason);

/// <summary>The sums of the allocation. <c>Paid + Unallocated = Emission</c>.</summary>
/// <param name="Epoch">Number.</param>
/// <param name="Providers">With an amount or without.</param>
/// <param name="Paid">Σ of all allocations.</param>
/// <param name="Unallocated">Σ of all <see cref="PoolUnallocated"/>.</param>
/// <param name="RewardRoot">RFC 6962 root over the allocations, ordered by provider, hex.</param>
/// <param name="CodeVersion">Version of the arithmetic.</param>
/// <param name="ComputedAt">When.</param>
[EventContract("epoch_rewards_computed")]
public sealed record EpochRewardsComputed(
    long Epoch, int Providers, Amount Paid, Amount Unallocated, string RewardRoot, string CodeVersion,
    DateTimeOffset ComputedAt);

/// <summary>Every ledger transaction of the epoch is posted.</summary>
/// <param name="Epoch">Number.</param>
/// <param name="Transactions">Pages posted.</param>
/// <param name="PaidAt">When.</param>
[EventContract("epoch_paid")]
public sealed record EpochPaid(long Epoch, int Transactions, DateTimeOffset PaidAt);

/// <summary>What one provider gets, and for what.</summary>
/// <param name="Provider">Participant id.</param>
/// <param name="Nodes">Nodes that worked.</param>
/// <param name="Bytes">Their accepted work.</param>
/// <param name="Weight">Decimal; above 64 bits.</param>
/// <param name="Amount">Exact part of the work pool.</param>
/// <param name="InputRoot">RFC 6962 root over this provider's contributions, hex.</param>
public sealed record ProviderReward(
    string Provider, int Nodes, long Bytes, string Weight, Amount Amount, string InputRoot);
