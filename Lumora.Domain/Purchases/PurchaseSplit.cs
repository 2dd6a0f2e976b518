using Lumora.Domain.Kernel;
using Lumora.Domain.Rewards;

namespace Lumora.Domain.Purchases;

/// <summary>
/// How a price is divided when its escrow is released, in basis points of 1/10,000. Governed; a purchase keeps the
/// split that it was quoted with.
/// </summary>
/// <param name="PublisherBps">For the publisher.</param>
/// <param name="RewardsBps">For the pool that pays the nodes, <c>network/rewards</c>.</param>
/// <param name="FeesBps">For the network, <c>network/fees</c>.</param>
/// <param name="BurnBps">Taken out of circulation, <c>network/burned</c>.</param>
public sealed record PurchaseSplit(int PublisherBps, int RewardsBps, int FeesBps, int BurnBps)
{
    /// <summary>Basis points of a whole.</summary>
    public const int WholeBps = 10_000;

    /// <summary>The split until governance decides otherwise.</summary>
    public static PurchaseSplit Default { get; } = new(7_000, 2_000, 800, 200);

    /// <summary>True when no part is negative and all are the whole.</summary>
    public bool IsWhole =>
        PublisherBps >= 0 && RewardsBps >= 0 && FeesBps >= 0 && BurnBps >= 0
        && (long)PublisherBps + RewardsBps + FeesBps + BurnBps == WholeBps;

    /// <summary>Divides <paramref name="price"/> exactly, by the largest remainders (<see cref="Allocation"/>).</summary>
    public PurchaseShares Divide(Amount price)
    {
        Check.That(IsWhole);
        var shares = Allocation.Allocate(
            price,
            [
                new Weighted("publisher", PublisherBps), new Weighted("rewards", RewardsBps),
                new Weighted("fees", FeesBps), new Weighted("burned", BurnBps),
            ]).Shares;
        return new PurchaseShares(shares[0].Amount, shares[1].Amount, shares[2].Amount, shares[3].Amount);
    }
}

/// <summary>A price divided; the parts add up to it exactly.</summary>
/// <param name="Publisher">Paid to the publisher.</param>
/// <param name="Rewards">Paid to the nodes' reward pool.</param>
/// <param name="Fees">Kept by the network.</param>
/// <param name="Burned">Taken out of circulation.</param>
public sealed record PurchaseShares(Amount Publisher, Amount Rewards, Amount Fees, Amount Burned)
{
    /// <summary>The sum of the parts.</summary>
    public Amount Total => Publisher + Rewards + Fees + Burned;
}
