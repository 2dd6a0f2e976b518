using CsCheck;
using Lumora.Domain.Kernel;
using Lumora.Domain.Rewards;

namespace Lumora.Domain.Tests.Rewards;

public sealed class EpochDeciderTests
{
    private static readonly DateTimeOffset T0 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<EpochInputs> Inputs =
        from emission in Gen.Long[0, long.MaxValue]
        from bytes in Gen.Long[0, 1L << 40].Array[0, 200]
        let contributions = bytes.Select((n, i) => new EpochInput(
            $"contribution_{i:D4}", $"node{i % 90}", $"participant_{i % 70}", n, "aa")).ToArray()
        let nodes = contributions.GroupBy(c => (c.NodeId, c.Owner)).Select(g => new NodeWork(
            g.Key.NodeId, g.Key.Owner, g.Sum(c => c.Bytes), g.Count(), g.Count() + 1, 1, Suspended: false)).ToArray()
        select new EpochInputs(12, new Amount(emission), contributions, nodes);

    private static object[] Close(EpochInputs inputs) => [.. Assert.IsType<Decision.Accepted>(
        EpochDecider.Close(null, inputs, "participant_s", "end of the day", T0)).Events];

    [Fact]
    public void Paid_and_unallocated_are_the_emission_to_the_last_unit() => Inputs.Sample(inputs =>
    {
        var events = Close(inputs);
        var paid = events.OfType<RewardsAllocated>().SelectMany(page => page.Allocations)
            .Sum(reward => reward.Amount.Units);
        var left = events.OfType<PoolUnallocated>().Sum(pool => pool.Amount.Units);
        Assert.Equal(inputs.Emission.Units, paid + left);
        var computed = Assert.IsType<EpochRewardsComputed>(events[^1]);
        Assert.Equal((paid, left), (computed.Paid.Units, computed.Unallocated.Units));
    });

    [Fact]
    public void The_order_in_which_contributions_are_read_does_not_matter() => Inputs.Sample(inputs =>
    {
        var reversed = inputs with
        {
            Contributions = [.. inputs.Contributions.Reverse()],
            Nodes = [.. inputs.Nodes.Reverse()],
        };
        Assert.Equal(Close(inputs)[0], Close(reversed)[0]);
        Assert.Equal(Close(inputs)[^1], Close(reversed)[^1]);
    });

    [Fact]
    public void Every_page_of_payments_fits_the_ledger_and_together_they_move_the_emission() => Inputs.Sample(inputs =>
    {
        var events = Close(inputs);
        var shares = events.OfType<RewardsAllocated>().SelectMany(page => page.Allocations)
            .Select(reward => (reward.Provider, reward.Amount)).ToList();
        var unallocated = Assert.IsType<EpochRewardsComputed>(events[^1]).Unallocated;
        var pages = EpochPayments.Pages(12, unallocated, shares);

        Assert.All(pages, page => Assert.InRange(page.Postings.Count, 1, EpochPayments.PostingsPerPage));
        Assert.All(pages.SelectMany(page => page.Postings), posting => Assert.True(posting.Amount > Amount.Zero));
        Assert.Equal(pages.Count, pages.Select(page => page.Key).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(inputs.Emission.Units, Sum(pages, posting => posting.From == EpochPayments.Emission));
        // What comes into the rewards account leaves it again.
        Assert.Equal(
            Sum(pages, posting => posting.To == EpochPayments.Rewards),
            Sum(pages, posting => posting.From == EpochPayments.Rewards));
    });

    [Fact]
    public void A_closed_epoch_stays_as_it_is_and_a_reason_is_needed()
    {
        var inputs = new EpochInputs(12, new Amount(10), [], []);
        var state = Close(inputs).Aggregate<object, EpochState?>(null, EpochState.Evolve);
        Assert.Empty(Assert.IsType<Decision.Accepted>(
            EpochDecider.Close(state, inputs, "participant_s", "again", T0)).Events);
        Assert.Equal("reason_required", Assert.IsType<Decision.Rejected>(
            EpochDecider.Close(null, inputs, "participant_s", " ", T0)).Reason.Code);
    }

    [Fact]
    public void An_epoch_without_work_goes_to_the_treasury_with_a_reason_for_each_pool()
    {
        var pools = Close(new EpochInputs(12, new Amount(1_000), [], [])).OfType<PoolUnallocated>().ToList();
        Assert.Equal("work availability verification", string.Join(" ", pools.Select(pool => pool.Pool)));
        Assert.All(pools, pool => Assert.NotEmpty(pool.Reason));
    }

    private static long Sum(IEnumerable<EpochPaymentPage> pages, Func<EpochPosting, bool> which) =>
        pages.SelectMany(page => page.Postings).Where(which).Sum(posting => posting.Amount.Units);
}
