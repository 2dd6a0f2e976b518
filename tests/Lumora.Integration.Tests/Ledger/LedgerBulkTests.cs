using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

public sealed class LedgerBulkTests(TestDatabases databases)
{
    private const int Size = LedgerLimits.BulkMax;
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_of_8192_take_effect_in_one_transaction_and_the_same_call_again_gets_the_same_answers()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 3, 10_000);
        var calls = Transfers("a", Size, poorAt: null);
        var first = (await ledger.SubmitAsync(calls, BulkMode.AllOrNothing, Ct)).Cast<LedgerOutcome.Posted>().ToList();
        Assert.Equal(Size, first.Count);
        Assert.Equal(Enumerable.Range(0, Size).Select(i => first[0].JournalVersion + i), first.Select(one => one.JournalVersion));
        Assert.Single(first.Select(one => one.At).Distinct());

        var again = (await ledger.SubmitAsync(calls, BulkMode.AllOrNothing, Ct)).Cast<LedgerOutcome.Posted>().ToList();
        Assert.Equal(first.Select(one => one with { Replayed = true }), again);
        Assert.Equal(10_000 - Size, await harness.BalanceAsync(Account(0)));
        Assert.Equal(10_000 + Size, await harness.BalanceAsync(Account(1)));
        Assert.Equal(1, await harness.CountAsync(
            "select count(distinct xmin::text) from mt_events where data->>'id' like 'a-%'"));
    }

    [Fact]
    public async Task One_that_fails_in_the_middle_leaves_nothing_but_one_recorded_refusal()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 3, 10_000);
        var events = await harness.CountAsync("select count(*) from mt_events");
        var calls = Transfers("b", Size, poorAt: Size / 2);
        for (var call = 0; call < 2; call++)
        {
            var answers = (await ledger.SubmitAsync(calls, BulkMode.AllOrNothing, Ct)).Cast<LedgerOutcome.Refused>().ToList();
            Assert.Equal(LedgerCodes.InsufficientFunds, answers[Size / 2].Rejection.Code);
            Assert.Equal(call == 1, answers[Size / 2].Replayed);
            Assert.All(answers.Where((_, i) => i != Size / 2), one => Assert.Equal(LedgerCodes.BulkRefused, one.Rejection.Code));
        }

        Assert.Equal(events + 1, await harness.CountAsync("select count(*) from mt_events"));
        Assert.Equal(10_000, await harness.BalanceAsync(Account(0)));

        // The others have used up no key.
        var without = calls.Where((_, i) => i != Size / 2).Take(100).ToList();
        Assert.All(
            await ledger.SubmitAsync(without, BulkMode.AllOrNothing, Ct),
            one => Assert.False(Assert.IsType<LedgerOutcome.Posted>(one).Replayed));
    }

    [Fact]
    public async Task A_refused_call_is_refused_for_the_same_reason_again_whatever_its_other_requests_would_meet_by_then()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 3, 100);
        LedgerRequest[] call = [Request("k1", Pay(Account(0), Account(1), 60)), Request("k2", Pay(Account(2), Account(1), 101))];
        var first = await ledger.SubmitAsync(call, BulkMode.AllOrNothing, Ct);
        Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Request("away", Pay(Account(0), Account(1), 80))));
        var events = await harness.CountAsync("select count(*) from mt_events");

        // Another writer knows of it what the tables say.
        var next = await harness.WriterAsync();
        foreach (var answers in new[] { await ledger.SubmitAsync(call, BulkMode.AllOrNothing, Ct), await next.SubmitAsync(call, BulkMode.AllOrNothing, Ct) })
            Assert.Equal([first[0], ((LedgerOutcome.Refused)first[1]) with { Replayed = true }], answers);
        Assert.Equal(events, await harness.CountAsync("select count(*) from mt_events"));
    }

    [Fact]
    public async Task Each_for_itself_has_its_own_answer()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 3, 10_000);
        var calls = Transfers("c", 1_000, poorAt: 500);
        var answers = await ledger.SubmitAsync(calls, BulkMode.Independent, Ct);
        Assert.Equal(LedgerCodes.InsufficientFunds, Assert.IsType<LedgerOutcome.Refused>(answers[500]).Rejection.Code);
        Assert.Equal(999, answers.OfType<LedgerOutcome.Posted>().Count());
        Assert.Equal(10_999, await harness.BalanceAsync(Account(1)));
    }

    [Fact]
    public async Task The_queue_is_bounded_by_requests_and_not_by_calls()
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 3, 100);
        var ledger = await harness.WriterAsync(options: new LedgerOptions { QueueLengthMax = 10 }, run: false);
        var eight = ledger.SubmitAsync(Transfers("d", 8, null), BulkMode.AllOrNothing, Ct);
        Assert.All(
            await ledger.SubmitAsync(Transfers("e", 3, null), BulkMode.AllOrNothing, Ct), one => Assert.IsType<LedgerOutcome.Busy>(one));
        var two = ledger.SubmitAsync(Transfers("f", 2, null), BulkMode.Independent, Ct);
        Assert.IsType<LedgerOutcome.Busy>(await ledger.AskAsync(Transfers("g", 1, null)[0]));
        _ = harness.Run(ledger);
        Assert.All([.. await eight, .. await two], one => Assert.IsType<LedgerOutcome.Posted>(one));
        Assert.Equal(110, await harness.BalanceAsync(Account(1)));
    }

    [Fact]
    public async Task A_call_that_is_lost_after_its_commit_gets_its_answers_from_the_next_one()
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 3, 10_000);
        var ledger = await harness.WriterAsync(new LoseOnce());
        var calls = Transfers("h", 1_000, null);
        await Assert.ThrowsAsync<LedgerUnavailableException>(() => ledger.SubmitAsync(calls, BulkMode.AllOrNothing, Ct));
        var again = await ledger.SubmitAsync(calls, BulkMode.AllOrNothing, Ct);
        Assert.All(again, one => Assert.True(Assert.IsType<LedgerOutcome.Posted>(one).Replayed));
        Assert.Equal(11_000, await harness.BalanceAsync(Account(1)));
    }

    private static List<LedgerRequest> Transfers(string prefix, int count, int? poorAt) =>
        [.. Enumerable.Range(0, count).Select(i => Request(
            $"{prefix}-{i}", i == poorAt ? Pay(Account(2), Account(1), 10_001) : Pay(Account(0), Account(1), 1)))];

    private sealed class LoseOnce : ILedgerProbe
    {
        private int _lost;

        public ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct) =>
            point == CommitPoint.AfterCommit && Interlocked.Exchange(ref _lost, 1) == 0
                ? throw new InvalidOperationException("the answer is lost")
                : ValueTask.CompletedTask;
    }
}
