using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

public sealed class LedgerCompanionTests(TestDatabases databases)
{
    [Fact]
    public async Task A_companion_commits_with_its_posting_and_not_at_all_with_a_refusal()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 2, 100);
        Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Buy("a", 60, Starts("purchase/a"))));
        Assert.IsType<LedgerOutcome.Refused>(await ledger.AskAsync(Buy("b", 60, Starts("purchase/b"))));
        Assert.Equal(1, await harness.CountAsync("select count(*) from mt_streams where id like 'purchase/%'"));
        Assert.Equal(0, await harness.CountAsync("select count(*) from mt_streams where id = 'purchase/b'"));
        Assert.Equal(1, await harness.CountAsync(
            "select count(*) from mt_events where stream_id = 'purchase/a' and user_name = 'system:test'"));
        await ledger.AskAsync(Buy("a", 60, Starts("purchase/a")));
        Assert.Equal(1, await harness.CountAsync("select version from mt_streams where id = 'purchase/a'"));
    }

    [Fact]
    public async Task A_conflicting_companion_costs_only_its_own_request()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync(run: false);
        var funding = await harness.WriterAsync();
        await FundAsync(funding, 2, 1_000);
        await funding.AskAsync(Buy("first", 1, Starts("purchase/taken")));
        var answers = Enumerable.Range(0, 20).Select(i => ledger.AskAsync(
            i switch
            {
                7 => Buy("k7", 1, Starts("purchase/taken")),
                9 => Buy("k9", 1, Starts("purchase/taken") with { ExpectedVersion = 5 }),
                11 => Buy("k11", 1, Starts("purchase/taken") with { ExpectedVersion = 1 }),
                12 => Buy("k12", 1, Starts("purchase/taken") with { ExpectedVersion = 2 }),
                13 => Buy("k13", 1, Starts("purchase/new")),
                14 => Buy("k14", 1, Starts("purchase/new") with { ExpectedVersion = 1 }),
                _ => Request($"k{i}", Pay(Account(0), Account(1), 1)),
            })).ToList();
        ledger.Complete();
        await harness.Run(ledger);
        var outcomes = await Task.WhenAll(answers);
        for (var i = 0; i < 20; i++)
        {
            if (i is 7 or 9)
                Assert.Equal(LedgerCodes.CompanionConflict, Assert.IsType<LedgerOutcome.Refused>(outcomes[i]).Rejection.Code);
            else
                Assert.IsType<LedgerOutcome.Posted>(outcomes[i]);
        }

        Assert.Equal(3, await harness.CountAsync("select version from mt_streams where id = 'purchase/taken'"));
        Assert.Equal(2, await harness.CountAsync("select version from mt_streams where id = 'purchase/new'"));
        Assert.Equal(0, await harness.CountAsync("select count(*) from mt_events where stream_id like 'ledger/%' and data->>'id' in ('k7', 'k9')"));
    }

    [Fact]
    public async Task A_stream_that_somebody_starts_meanwhile_is_found_by_halving_the_batch()
    {
        await using var harness = await StartAsync(databases);
        var funding = await harness.WriterAsync();
        await FundAsync(funding, 2, 1_000);
        var ledger = await harness.WriterAsync(new StartsStream(harness, "purchase/raced"), run: false);
        var answers = Enumerable.Range(0, 8).Select(i => ledger.AskAsync(
            Buy($"k{i}", 1, Starts(i == 5 ? "purchase/raced" : $"purchase/{i}")))).ToList();
        ledger.Complete();
        await harness.Run(ledger);
        var outcomes = await Task.WhenAll(answers);
        for (var i = 0; i < 8; i++)
            Assert.Equal(i == 5 ? typeof(LedgerOutcome.Refused) : typeof(LedgerOutcome.Posted), outcomes[i].GetType());
        Assert.Equal(7, await harness.CountAsync("select count(*) from mt_events where stream_id like 'ledger/%' and data->>'id' like 'k%'"));
        Assert.Equal(1_007, await harness.BalanceAsync(Account(1)));
    }

    [Fact]
    public async Task A_companion_that_cannot_be_stored_fails_alone()
    {
        await using var harness = await StartAsync(databases);
        var funding = await harness.WriterAsync();
        await FundAsync(funding, 2, 1_000);
        var ledger = await harness.WriterAsync(run: false);
        var answers = Enumerable.Range(0, 8).Select(i => ledger.AskAsync(
            i == 3
                ? Buy("k3", 1, Starts("purchase/bad") with { Events = [new AccountFrozen("x", "a\0b", "LMR", "jsonb holds no U+0000")] })
                : Request($"k{i}", Pay(Account(0), Account(1), 1)))).ToList();
        ledger.Complete();
        await harness.Run(ledger);
        await Assert.ThrowsAsync<LedgerUnavailableException>(() => answers[3]);
        answers.RemoveAt(3);
        Assert.All(await Task.WhenAll(answers), outcome => Assert.IsType<LedgerOutcome.Posted>(outcome));
        Assert.Equal(0, await harness.CountAsync("select count(*) from mt_streams where id = 'purchase/bad'"));
    }

    // Any catalogued event will do as somebody else's fact.
    private static CompanionEvents Starts(string stream) =>
        new(stream, typeof(LedgerJournal), null, [new AccountFrozen("x", "escrow/x", "LMR", "test")]);

    private static LedgerRequest Buy(string key, long units, CompanionEvents companion) =>
        Request(key, Pay(Account(0), Account(1), units)) with { Companion = companion };

    private sealed class StartsStream(LedgerHarness harness, string stream) : ILedgerProbe
    {
        private int _started;

        public async ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct)
        {
            if (point != CommitPoint.BeforeAppend || Interlocked.Exchange(ref _started, 1) == 1)
                return;
            await using var session = harness.Sessions.Open(ShardRole.Global, Actor.System("rival"));
            session.Events.StartStream<LedgerJournal>(stream, new AccountFrozen("y", "escrow/y", "LMR", "rival"));
            await session.SaveChangesAsync(ct);
        }
    }
}
