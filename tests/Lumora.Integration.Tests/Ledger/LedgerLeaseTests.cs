using System.Diagnostics;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Npgsql;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>Who writes the journal when there are several hosts, and what their callers see of a change.</summary>
public sealed class LedgerLeaseTests(TestDatabases databases)
{
    // The promise is 2 s, and SeveralHostsSpecs measures it with the lease that it is given for. Here other tests run beside
    // this one, with a longer lease: enough to tell a take-over when it runs out from one that waits for something else, which
    // are 30 s or for ever.
    private static readonly TimeSpan TakenOverWithin = TimeSpan.FromSeconds(25);

    [Fact]
    public async Task The_first_host_writes_at_once_and_the_second_answers_through_it()
    {
        await using var hosts = await TwoHosts.StartAsync(databases);
        var (_, first, second) = hosts;
        Assert.Equal(new LedgerStanding("main", IsWriter: true, HasWriter: true, 1), first.Standing);
        Assert.Equal(first.Standing with { IsWriter = false }, second.Standing);
        await FundAsync(second.Ledger, 2, 100);

        var pay = Request("pay", Pay(Account(0), Account(1), 60));
        var posted = Assert.IsType<LedgerOutcome.Posted>(await second.Ledger.AskAsync(pay));
        Assert.Equal(posted with { Replayed = true }, await first.Ledger.AskAsync(pay));
        Assert.Equal(posted with { Replayed = true }, await second.Ledger.AskAsync(pay));

        var poor = Request("poor", Pay(Account(0), Account(1), 60));
        var refused = Assert.IsType<LedgerOutcome.Refused>(await second.Ledger.AskAsync(poor));
        Assert.Equal(LedgerCodes.Reject(LedgerCodes.InsufficientFunds, refused.Rejection.Field), refused.Rejection);
        Assert.Equal(refused with { Replayed = true }, await first.Ledger.AskAsync(poor));
        Assert.Equal(
            LedgerCodes.InvalidKey,
            Assert.IsType<LedgerOutcome.Refused>(await second.Ledger.AskAsync(poor with { Key = "" })).Rejection.Code);
    }

    [Fact]
    public async Task A_host_that_takes_long_to_open_its_accounts_renews_its_lease_meanwhile()
    {
        await using var harness = await LedgerHarness.StartAsync(databases);
        var (host, started) = LedgerHost.StartWithSlowCommit(harness);
        await using (host)
        {
            await host.InCommit;
            var first = await DeadlineAsync();
            await Patience.UntilAsync(async () => await DeadlineAsync() > first);
            host.Thaw();
            await started;
            Assert.Equal((true, 1L), (host.Standing.IsWriter, host.Standing.Term));
        }

        Task<long> DeadlineAsync() => harness.CountAsync("select (extract(epoch from deadline) * 1000000)::bigint from ledger_lease");
    }

    [Fact]
    public async Task Companions_actors_and_calls_of_all_or_nothing_reach_the_writer_whole()
    {
        await using var hosts = await TwoHosts.StartAsync(databases);
        var (harness, writer, other) = hosts;
        await FundAsync(writer.Ledger, 2, 100);
        var companion = new CompanionEvents(
            "purchase/1", typeof(LedgerJournal), null, [new AccountFrozen("x", "escrow/x", "LMR", "test")]);
        var steward = new Actor("participant_s", Roles.Steward);
        Assert.IsType<LedgerOutcome.Posted>(await other.Ledger.AskAsync(
            new LedgerRequest(steward, "freeze", new FreezeAccount(Account(1), "LMR", "test"), companion)));
        Assert.Equal(1, await harness.CountAsync(
            "select count(*) from mt_events where stream_id = 'purchase/1' and user_name = 'participant_s'"));

        LedgerRequest[] together =
        [
            Request("t1", Pay(Account(0), ChartOfAccounts.Escrow("1"), 10)),
            Request("t2", Pay(Account(0), ChartOfAccounts.Escrow("2"), 1_000)),
        ];
        var none = await other.Ledger.SubmitAsync(together, BulkMode.AllOrNothing, TestContext.Current.CancellationToken);
        Assert.Equal(
            [LedgerCodes.BulkRefused, LedgerCodes.InsufficientFunds],
            none.Select(outcome => Assert.IsType<LedgerOutcome.Refused>(outcome).Rejection.Code));
        Assert.Equal(100, await harness.BalanceAsync(Account(0)));
        together[1] = Request("t3", Pay(Account(0), ChartOfAccounts.Escrow("2"), 90));
        var all = await other.Ledger.SubmitAsync(together, BulkMode.AllOrNothing, TestContext.Current.CancellationToken);
        Assert.All(all, outcome => Assert.IsType<LedgerOutcome.Posted>(outcome));
        Assert.Equal(0, await harness.BalanceAsync(Account(0)));
    }

    [Fact]
    public async Task A_killed_writer_is_replaced_when_its_lease_runs_out_and_the_callers_of_both_hosts_go_on()
    {
        await using var hosts = await TwoHosts.StartAsync(databases);
        var (harness, killed, other) = hosts;
        await LedgerCallers.OpenAsync(killed.Ledger);
        await using var callers = new LedgerCallers()
            .Start("a", 8, killed.Ledger, other.Ledger).Start("b", 8, other.Ledger, other.Ledger);
        await callers.MoreAsync(100);

        await killed.KillAsync();
        await callers.MoreAsync(100);
        Assert.Equal((true, 2L), (other.Standing.IsWriter, other.Standing.Term));
        await callers.StopAsync(harness);
        Assert.InRange(callers.Pause, TimeSpan.Zero, TakenOverWithin);
    }

    [Fact]
    public async Task A_writer_that_freezes_inside_its_transaction_is_replaced_and_answers_right_when_it_wakes()
    {
        await using var hosts = await TwoHosts.StartAsync(databases);
        var (harness, frozen, other) = hosts;
        await FundAsync(frozen.Ledger, 2, 100);

        frozen.Freeze(inCommit: true);
        var asleep = frozen.Ledger.AskAsync(Request("asleep", Pay(Account(0), Account(1), 1)));
        await frozen.InCommit;
        // The frozen writer holds the fence's row, and its callers on the other host wait with it.
        var at = Stopwatch.GetTimestamp();
        var answer = await other.Ledger.AskAsync(Request("awake", Pay(Account(0), Account(1), 2)));
        Assert.IsType<LedgerOutcome.Posted>(answer);
        Assert.InRange(Stopwatch.GetElapsedTime(at), TimeSpan.Zero, TakenOverWithin);
        Assert.False(asleep.IsCompleted);

        frozen.Thaw();
        Assert.False(Assert.IsType<LedgerOutcome.Posted>(await asleep).Replayed);
        Assert.IsType<LedgerOutcome.Posted>(await frozen.Ledger.AskAsync(Request("after", Pay(Account(0), Account(1), 4))));
        Assert.Equal((false, true), (frozen.Standing.IsWriter, other.Standing.IsWriter));
        Assert.Equal(107, await harness.BalanceAsync(Account(1)));
    }

    [Fact]
    public async Task The_next_writer_does_not_wait_for_rows_that_a_frozen_one_added_ahead()
    {
        await using var harness = await LedgerHarness.StartAsync(databases);
        await using (var before = await LedgerHost.StartAsync(harness))
            await FundAsync(before.Ledger, 2, 100);
        var pay = Request("k", Pay(Account(0), Account(1), 1));
        // The open transaction of a host that froze: nobody will ever end it.
        await using var frozen = await harness.Sessions.DataSource(ShardRole.Global)
            .OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await frozen.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var add = new NpgsqlCommand(
            "insert into ledger_outcome (id, journal_version, at, digest) values ($1, 1, now(), '')", frozen, transaction);
        add.Parameters.Add(new NpgsqlParameter { Value = OutcomeId.Of(pay.Actor.Id, pay.Key) });
        await add.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await using var host = await LedgerHost.StartAsync(harness);
        var at = Stopwatch.GetTimestamp();
        Assert.IsType<LedgerOutcome.Posted>(await host.Ledger.AskAsync(pay));
        Assert.InRange(Stopwatch.GetElapsedTime(at), TimeSpan.Zero, TakenOverWithin);
    }

    [Fact]
    public async Task A_writer_that_does_not_know_that_its_lease_is_gone_loses_turns_and_no_money()
    {
        await using var hosts = await TwoHosts.StartAsync(databases);
        var (harness, late, other) = hosts;
        await LedgerCallers.OpenAsync(late.Ledger);
        await using var callers = new LedgerCallers().Start("a", 4, late.Ledger, late.Ledger).Start("b", 4, other.Ledger, other.Ledger);
        await callers.MoreAsync(50);

        // Both write until the first one's own clock tells it to stop: the fence alone stands between them.
        late.Freeze(inCommit: false);
        await harness.ExecuteAsync("update ledger_lease set deadline = clock_timestamp()");
        while (!other.Standing.IsWriter)
            await callers.MoreAsync(1);
        Assert.True(late.Standing.IsWriter);
        while (late.Standing.IsWriter)
            await callers.MoreAsync(1);
        late.Thaw();
        await callers.MoreAsync(50);
        await callers.StopAsync(harness);
        Assert.Equal(0, callers.Unknown);
    }

    [Fact]
    public async Task A_host_that_stops_hands_over_under_load_and_no_answer_is_lost()
    {
        // A lease so long that whoever waited for its end would be seen.
        await using var hosts = await TwoHosts.StartAsync(databases, LedgerHost.Unhurried(o => o.LeaseTime = TimeSpan.FromSeconds(30)));
        var (harness, stopping, other) = hosts;
        await LedgerCallers.OpenAsync(stopping.Ledger);
        await using var callers = new LedgerCallers()
            .Start("a", 8, stopping.Ledger, other.Ledger).Start("b", 8, other.Ledger, other.Ledger);
        await callers.MoreAsync(100);

        await stopping.StopAsync();
        Assert.Equal((true, 2L), (other.Standing.IsWriter, other.Standing.Term));
        await callers.MoreAsync(100);
        await callers.StopAsync(harness);
        Assert.Equal(0, callers.Unknown);
        Assert.InRange(callers.Pause, TimeSpan.Zero, TakenOverWithin);
        Assert.IsType<LedgerOutcome.Busy>(await stopping.Ledger.AskAsync(Request("late", Pay(Account(0), Account(1), 1))));
    }

    [Fact]
    public async Task The_last_host_serves_its_own_late_callers_while_it_stops()
    {
        await using var harness = await LedgerHarness.StartAsync(databases);
        await using var alone = await LedgerHost.StartAsync(harness);
        await FundAsync(alone.Ledger, 2, 100);
        await alone.Ledgers.StoppingAsync(TestContext.Current.CancellationToken);
        Assert.False(alone.Standing.IsWriter);
        var late = alone.Ledger.AskAsync(Request("late", Pay(Account(0), Account(1), 1)));
        await alone.StopAsync();
        Assert.IsType<LedgerOutcome.Posted>(await late);
        // Given back: the next host need not wait for the lease to run out.
        await using var next = await LedgerHost.StartAsync(harness);
        Assert.True(next.Standing.IsWriter);
    }

    [Fact]
    public async Task The_clocks_of_the_hosts_do_not_matter()
    {
        await using var hosts = await TwoHosts.StartAsync(
            databases, firstClock: new OtherClock(TimeSpan.FromHours(-1)), secondClock: new OtherClock(TimeSpan.FromHours(1)));
        var (_, behind, ahead) = hosts;
        await FundAsync(ahead.Ledger, 2, 100);
        Assert.Equal((true, false), (behind.Standing.IsWriter, ahead.Standing.IsWriter));
        await behind.StopAsync();
        Assert.IsType<LedgerOutcome.Posted>(await ahead.Ledger.AskAsync(Request("k", Pay(Account(0), Account(1), 1))));
    }

    private sealed class OtherClock(TimeSpan difference) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + difference;
    }
}
