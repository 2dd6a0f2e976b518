using System.Numerics;
using CsCheck;
using Lumora.Domain.Kernel;
using Lumora.Domain.Rewards;

namespace Lumora.Domain.Tests.Rewards;

public sealed class AllocationTests
{
    private static readonly Gen<Weighted[]> Claims =
        from weights in Gen.OneOf(Gen.Const(BigInteger.Zero), Gen.ULong.Select(x => (BigInteger)x * x * x),
            Gen.Int[0, 3].Select(x => (BigInteger)x)).Array[0, 40]
        select weights.Select((weight, i) => new Weighted($"participant_{i}", weight)).ToArray();

    private static readonly Gen<Amount> Pool = Gen.Long[0, long.MaxValue].Select(units => new Amount(units));

    [Fact]
    public void No_unit_is_lost_and_none_is_made() => Gen.Select(Pool, Claims).Sample((pool, claims) =>
    {
        var result = Allocation.Allocate(pool, claims, epoch: 5);
        var paid = result.Shares.Sum(share => share.Amount.Units);
        Assert.Equal(pool.Units, paid + result.Unallocated.Units);
        Assert.Equal(claims.All(claim => claim.Weight.IsZero), paid == 0 && result.Unallocated == pool
            || pool == Amount.Zero && claims.All(claim => claim.Weight.IsZero));
    });

    [Fact]
    public void Each_share_is_its_exact_part_rounded_down_or_up() => Gen.Select(Pool, Claims).Sample((pool, claims) =>
    {
        var sum = claims.Aggregate(BigInteger.Zero, (total, claim) => total + claim.Weight);
        if (sum.IsZero)
            return;
        foreach (var share in Allocation.Allocate(pool, claims).Shares)
        {
            var exact = BigInteger.DivRem(pool.Units * share.Weight, sum, out var remainder);
            Assert.InRange(share.Amount.Units - exact, 0, remainder.IsZero ? 0 : 1);
        }
    });

    [Fact]
    public void The_order_of_the_claims_does_not_matter() => Gen.Select(Pool, Claims).Sample((pool, claims) =>
    {
        var forward = Allocation.Allocate(pool, claims, 9).Shares;
        var backward = Allocation.Allocate(pool, [.. claims.Reverse()], 9).Shares.Reverse();
        Assert.Equal(forward, backward);
    });

    [Fact]
    public void A_tie_is_broken_by_the_hash_and_falls_differently_from_epoch_to_epoch()
    {
        Weighted[] claims = [new("a", 1), new("b", 1)];
        var winners = Enumerable.Range(0, 20).Select(epoch =>
            Allocation.Allocate(new Amount(1), claims, epoch).Shares.Single(share => share.Amount.Units == 1).Id);
        Assert.Equal(2, winners.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void The_emission_is_split_without_a_rest() => Pool.Sample(emission =>
    {
        var pools = Pools.Of(emission);
        Assert.Equal(emission, pools.Work + pools.Availability + pools.Verification);
    });

    [Fact]
    public void The_pools_are_seven_two_and_one_tenths()
    {
        var pools = Pools.Of(new Amount(10_001));
        Assert.Equal((7_000, 2_000, 1_001),
            (pools.Work.Units, pools.Availability.Units, pools.Verification.Units));
    }

    [Theory]
    [InlineData(0, 0, 800_000)]
    [InlineData(10, 10, 933_333)]
    [InlineData(0, 15, 200_000)]
    public void Quality_is_smoothed_success_in_ppm(int ok, int all, long expected) =>
        Assert.Equal(expected, Weights.Success(ok, all));

    [Fact]
    public void Trust_grows_after_three_epochs_and_ends_with_a_suspension()
    {
        Assert.Equal(500_000, Weights.Trust(2, suspended: false));
        Assert.Equal(1_000_000, Weights.Trust(3, suspended: false));
        Assert.Equal(0, Weights.Trust(9, suspended: true));
    }
}
