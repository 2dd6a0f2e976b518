using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>Deadlines of holds, by a clock that the test moves.</summary>
public sealed class HoldSweeperSpecs(TestDatabases databases)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly ShiftedClock _clock = new();

    [Fact]
    public async Task A_hold_whose_deadline_passed_while_no_host_ran_expires_after_the_start()
    {
        var (database, home) = (await databases.CreateAsync(), Directory.CreateTempSubdirectory("lumora-holds-").FullName);
        string code;
        await using (var first = await HostAsync(database, sweepEvery: "1.00:00:00", home))
        {
            var person = await Person.NewAsync(first, 100);
            code = person.Code;
            Assert.Equal("ok", (await person.AskAsync("h", person.Holds(60, _clock.GetUtcNow() + Minute))).Code);
            Assert.Equal(60, (await first.AccountAsync(code)).Held);
        }

        _clock.Shift = 2 * Minute;
        await using var second = await HostAsync(database, sweepEvery: "00:00:00.050", home);
        await Patience.UntilAsync(async () => (await second.AccountAsync(code)).Held == 0);
        Assert.Equal(1, await second.CountAsync("select count(*) from mt_events where type = 'hold_expired' and user_name = 'system:ledger'"));
        await second.VerifyAsync();
    }

    [Fact]
    public async Task A_capture_after_the_deadline_is_refused_though_the_sweeper_is_late()
    {
        await using var host = await HostAsync(await databases.CreateAsync(), sweepEvery: "1.00:00:00");
        var (maker, payee) = (await Person.NewAsync(host, 100), await Person.NewAsync(host, 0));
        var hold = (await maker.AskAsync("h", maker.Holds(60, _clock.GetUtcNow() + Minute))).Version!.Value;
        Assert.Equal("ok", (await maker.AskAsync("in-time", Capture(hold, payee, 10))).Code);

        _clock.Shift = 2 * Minute;
        Assert.Equal(LedgerCodes.HoldExpired, (await maker.AskAsync("late", Capture(hold, payee, 10))).Code);
        Assert.Equal(50, (await host.AccountAsync(maker.Code)).Held);

        // The ledger's time does not fall with the clock, so the hold stays what it is.
        _clock.Shift = TimeSpan.Zero;
        Assert.Equal(LedgerCodes.HoldExpired, (await maker.AskAsync("later", Capture(hold, payee, 10))).Code);
        Assert.Equal("ok", (await maker.AskAsync("release", new ReleaseHold(hold))).Code);
        Assert.Equal((90L, 0L), (await host.AccountAsync(maker.Code)) is { } account ? (account.Balance, account.Held) : default);
        await host.VerifyAsync();
    }

    [Fact]
    public async Task A_clock_that_falls_back_expires_nothing_too_early_and_everything_in_the_end()
    {
        await using var host = await HostAsync(await databases.CreateAsync(), sweepEvery: "00:00:00.020");
        var person = await Person.NewAsync(host, 100);
        // Not by more: a token of the future is no token.
        _clock.Shift = TimeSpan.FromSeconds(-50);
        // The ledger's time stands still meanwhile, and this deadline is after it.
        var soon = await person.AskAsync("soon", person.Holds(10, TimeProvider.System.GetUtcNow() + Minute));
        Assert.Equal("ok", soon.Code);
        Assert.Equal(LedgerCodes.InvalidDeadline, (await person.AskAsync("past", person.Holds(10, _clock.GetUtcNow().AddSeconds(5)))).Code);
        var expire = new LedgerRequest(
            Domain.Kernel.Actor.System("ledger"), $"expire/{soon.Version}", new ExpireHold(soon.Version!.Value));
        var early = await host.Get<Projections.Ledger.ILedgers>().For(Projections.EventStore.ShardRole.Global).AskAsync(expire);
        Assert.Equal(LedgerCodes.HoldNotDue, Assert.IsType<LedgerOutcome.Refused>(early).Rejection.Code);
        Assert.Equal(10, (await host.AccountAsync(person.Code)).Held);

        // The same key, refused as too early, expires it now: "not due" was not recorded.
        _clock.Shift = 10 * Minute;
        await Patience.UntilAsync(async () => (await host.AccountAsync(person.Code)).Held == 0);
        await host.VerifyAsync();
    }

    [Fact]
    public async Task More_holds_than_a_page_expire_in_one_pass()
    {
        await using var host = await HostAsync(await databases.CreateAsync(), sweepEvery: "00:00:00.050");
        var person = await Person.NewAsync(host, 10_000);
        var ledger = host.Get<Projections.Ledger.ILedgers>().For(Projections.EventStore.ShardRole.Global);
        var deadline = _clock.GetUtcNow() + Minute;
        await ledger.SubmitAsync(
            [.. Enumerable.Range(0, 1_234).Select(i => new LedgerRequest(person.Actor, $"h{i}", person.Holds(2, deadline)))],
            Projections.Ledger.BulkMode.AllOrNothing, TestContext.Current.CancellationToken);
        Assert.Equal(2_468, (await host.AccountAsync(person.Code)).Held);

        _clock.Shift = 2 * Minute;
        await Patience.UntilAsync(async () => (await host.AccountAsync(person.Code)).Held == 0);
        Assert.Equal(1_234, await host.CountAsync("select count(*) from ledger_hold where status = 3"));
        await host.VerifyAsync();
    }

    private static CaptureHold Capture(long hold, Person payee, long units) =>
        new(hold, [new HoldPayment(payee.Code, new Domain.Kernel.Amount(units))]);

    private async Task<LumoraApp> HostAsync(string database, string sweepEvery, string? home = null)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["Lumora:Ledger:HoldSweepEvery"] = sweepEvery };
        var host = new LumoraApp(
            database, home, settings, services => services.Replace(ServiceDescriptor.Singleton<TimeProvider>(_clock)));
        await host.StartAsync();
        return host;
    }
}
