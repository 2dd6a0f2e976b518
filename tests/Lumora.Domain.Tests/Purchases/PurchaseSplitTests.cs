using CsCheck;
using Lumora.Domain.Kernel;
using Lumora.Domain.Purchases;

namespace Lumora.Domain.Tests.Purchases;

public sealed class PurchaseSplitTests
{
    private static readonly Gen<PurchaseSplit> Splits =
        Gen.Select(Gen.Int[0, 10_000], Gen.Int[0, 10_000], Gen.Int[0, 10_000]).Select((a, b, c) =>
        {
            int[] cuts = [a, b, c];
            Array.Sort(cuts);
            return new PurchaseSplit(cuts[0], cuts[1] - cuts[0], cuts[2] - cuts[1], 10_000 - cuts[2]);
        });

    [Fact]
    public void The_parts_add_up_to_the_price_and_none_is_a_unit_off() =>
        Gen.Select(Splits, Gen.OneOf(Gen.Long[0, 100], Gen.Long[0, long.MaxValue])).Sample((split, units) =>
        {
            var shares = split.Divide(new Amount(units));
            return shares.Total.Units == units
                && Near(shares.Publisher, split.PublisherBps) && Near(shares.Rewards, split.RewardsBps)
                && Near(shares.Fees, split.FeesBps) && Near(shares.Burned, split.BurnBps);

            bool Near(Amount part, int bps) =>
                (Int128)part.Units * 10_000 - (Int128)units * bps is var off && off > -10_000 && off < 10_000;
        });

    [Fact]
    public void The_largest_price_is_divided_without_overflow() =>
        Assert.Equal(long.MaxValue, PurchaseSplit.Default.Divide(new Amount(long.MaxValue)).Total.Units);

    [Fact]
    public void One_unit_goes_to_the_largest_share() =>
        Assert.Equal(
            new PurchaseShares(new(1), Amount.Zero, Amount.Zero, Amount.Zero),
            PurchaseSplit.Default.Divide(new Amount(1)));

    [Theory]
    [InlineData(10_000, 0, 0, 0, true)]
    [InlineData(9_999, 0, 0, 0, false)]
    [InlineData(10_001, -1, 0, 0, false)]
    public void A_split_is_a_whole_of_parts(int publisher, int rewards, int fees, int burn, bool whole) =>
        Assert.Equal(whole, new PurchaseSplit(publisher, rewards, fees, burn).IsWhole);
}
