using Lumora.Api.Rewards;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Rewards;
using Lumora.Domain.Tasks;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Tasks;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Rewards;

/// <summary>Work over HTTP, then the close of its epoch, then the balances that it leaves.</summary>
public sealed class EpochSpecs(WorkFixture fixture) : IClassFixture<WorkFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_closed_epoch_pays_its_emission_to_the_last_unit_and_closing_it_twice_is_closing_it_once()
    {
        await CloseWhatOthersLeftAsync();
        var (first, second) = (await WorkAsync(5_000), await WorkAsync(90_001));
        var before = await BalancesAsync(first.Owner, second.Owner);
        var command = await CloseCommandAsync("close-1");
        var closed = (await fixture.App.Get<EpochCloser>().CloseAsync(command, Ct)).Value!;

        Assert.NotNull(closed.PaidAt);
        Assert.Equal(closed.Emission, closed.Paid + closed.Unallocated);
        Assert.Equal((2, 2, 95_001L), (closed.Contributions, closed.Providers, closed.Bytes));
        var after = await BalancesAsync(first.Owner, second.Owner);
        Assert.Equal(closed.Paid.Units, after.First + after.Second);
        Assert.True(after.Second > after.First && after.First > 0);
        Assert.Equal(closed.Unallocated.Units, after.Treasury - before.Treasury);
        Assert.Equal(closed.Emission.Units, before.Emission - after.Emission);
        Assert.Equal(0, after.Rewards);

        var again = (await fixture.App.Get<EpochCloser>().CloseAsync(command, Ct)).Value;
        Assert.Equal(closed, again);
        Assert.Equal(after, await BalancesAsync(first.Owner, second.Owner));
        var otherKey = await fixture.App.Get<EpochCloser>().CloseAsync(command with { IdempotencyKey = "other" }, Ct);
        Assert.Equal(closed, otherKey.Value);
        var otherEpoch = await fixture.App.Get<EpochCloser>().CloseAsync(command with { Epoch = command.Epoch - 1 }, Ct);
        Assert.Equal("idempotency_conflict", otherEpoch.Rejection!.Code);
    }

    [Fact]
    public async Task Work_after_the_close_belongs_to_the_next_epoch_and_a_cut_off_payment_is_resumed()
    {
        await CloseWhatOthersLeftAsync();
        var node = await WorkAsync(7_000);
        var command = await CloseCommandAsync("close-2");
        var closer = fixture.App.Get<EpochCloser>();
        // As after a crash between the commit of the close and its payment.
        Assert.Null(await closer.SealAsync(command, Ct));
        var late = await WorkAsync(7_000);
        Assert.Equal(command.Epoch + 1, await fixture.ScalarAsync<long>(
            "select epoch from bandwidth_contribution where owner = $1", late.Owner));

        // The host that runs beside this test finds the sealed epoch by itself, and may have paid it by now.
        var paid = await Patience.ForAsync(async () =>
            await EpochRows.FindAsync(fixture.Sessions, command.Epoch, Ct) is { PaidAt: not null } row ? row : null);
        var balances = await BalancesAsync(node.Owner, late.Owner);
        Assert.Equal((paid.Paid.Units, 0L, 0L), (balances.First, balances.Second, balances.Rewards));
    }

    [Fact]
    public async Task The_epoch_that_follows_a_close_by_hand_may_be_closed_early_in_development_when_there_is_work_in_it()
    {
        await CloseWhatOthersLeftAsync();
        await WorkAsync(3_000);
        var closer = fixture.App.Get<EpochCloser>();
        var command = await CloseCommandAsync("close-4");
        Assert.Null((await closer.CloseAsync(command, Ct)).Rejection);
        var next = await closer.CurrentEpochAsync(Ct);
        Assert.Equal(command.Epoch + 1, next);
        var early = command with { Epoch = next, IdempotencyKey = "close-5" };
        Assert.Equal("epoch_not_begun", (await closer.CloseAsync(early, Ct)).Rejection!.Code);
        await WorkAsync(3_000);
        Assert.Equal(3_000, (await closer.CloseAsync(early, Ct)).Value!.Bytes);
    }

    [Fact]
    public async Task An_epoch_that_has_not_begun_or_lacks_a_reason_is_not_closed()
    {
        var closer = fixture.App.Get<EpochCloser>();
        var command = await CloseCommandAsync("close-3");
        var future = await closer.CloseAsync(command with { Epoch = command.Epoch + 1_000 }, Ct);
        Assert.Equal("epoch_not_begun", future.Rejection!.Code);
        var silent = await closer.CloseAsync(command with { Reason = "" }, Ct);
        Assert.Equal("reason_required", silent.Rejection!.Code);
    }

    private async Task<TestNode> WorkAsync(int bytes)
    {
        var node = await fixture.NodeAsync();
        await fixture.CollectionAsync(pages: 1);
        var lease = await node.LeaseAsync();
        await node.DeliverAsync(lease, bytes);
        await fixture.TaskInAsync(lease.TaskId, TaskPhase.Accepted);
        return node;
    }

    /// <summary>Closes the first open epoch; the clock is moved so that it has begun.</summary>
    // The tests of this class share a host and run in any order: each begins with no open work.
    private async Task CloseWhatOthersLeftAsync() =>
        await fixture.App.Get<EpochCloser>().CloseAsync(await CloseCommandAsync(Guid.NewGuid().ToString()), Ct);

    private async Task<CloseEpoch> CloseCommandAsync(string key)
    {
        await using var connection = await fixture.Sessions.DataSource(ShardRole.Region).OpenConnectionAsync(Ct);
        var last = await Lumora.Api.Bandwidth.EpochGate.LastSealedAsync(connection, Ct);
        var seconds = fixture.App.Get<Microsoft.Extensions.Options.IOptions<RewardsOptions>>().Value.EpochSeconds;
        var epoch = Math.Max(last + 1, EpochClock.EpochOf(fixture.Clock.Now(), seconds));
        while (EpochClock.EpochOf(fixture.Clock.Now(), seconds) < epoch)
            fixture.Clock.Advance(TimeSpan.FromSeconds(seconds));
        return new CloseEpoch(WorkFixture.Steward, epoch, "end of a test", key);
    }

    private async Task<Balances> BalancesAsync(string first, string second) => new(
        await BalanceAsync(ChartOfAccounts.Available(first)), await BalanceAsync(ChartOfAccounts.Available(second)),
        await BalanceAsync(ChartOfAccounts.Treasury), await BalanceAsync(ChartOfAccounts.Emission),
        await BalanceAsync(ChartOfAccounts.Rewards));

    private async Task<long> BalanceAsync(string code) =>
        (await fixture.App.Get<LedgerQueries>().AccountAsync(ShardRole.Region, code, ChartOfAccounts.Lmr, Ct))?.Balance ?? 0;

    private sealed record Balances(long First, long Second, long Treasury, long Emission, long Rewards);
}
