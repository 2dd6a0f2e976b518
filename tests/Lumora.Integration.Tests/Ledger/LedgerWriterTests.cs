using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Npgsql;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

public sealed class LedgerWriterTests(TestDatabases databases)
{
    [Fact]
    public async Task A_hundred_equal_calls_at_once_have_one_effect_and_one_answer()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 2, 1_000);
        var request = Request("one", Pay(Account(0), Account(1), 7));
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(
            () => ledger.AskAsync(request))));
        var posted = answers.Select(answer => Assert.IsType<LedgerOutcome.Posted>(answer)).ToList();
        Assert.Single(posted, answer => !answer.Replayed);
        Assert.Single(posted.Select(answer => (answer.JournalVersion, answer.At)).Distinct());
        Assert.Equal(1_007, await harness.BalanceAsync(Account(1)));
    }

    [Fact]
    public async Task Random_concurrent_load_leaves_tables_that_the_journal_explains()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 10, 100);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(worker => Task.Run(async () =>
        {
            var (random, refused) = (new Random(worker), 0);
            for (var i = 0; i < 60; i++)
            {
                var (from, to) = (random.Next(10), random.Next(9));
                to = to >= from ? to + 1 : to;
                var command = random.Next(20) switch
                {
                    0 => (LedgerCommand)new FreezeAccount(Account(from), "LMR", "test"),
                    1 => new UnfreezeAccount(Account(from), "LMR", "test"),
                    2 => Pay(Account(from), ChartOfAccounts.Escrow($"{worker}"), 1),
                    _ => Pay(Account(from), Account(to), random.Next(1, 120)),
                };
                var outcome = await ledger.AskAsync(Request($"w{worker}-{random.Next(50)}", command));
                refused += outcome is LedgerOutcome.Refused ? 1 : 0;
            }

            return refused;
        })));
        Assert.True(answers.Sum() > 0);
        var lines = await harness.RollUps.TrialBalanceAsync(ShardRole.Global, TestContext.Current.CancellationToken);
        Assert.Equal(0, lines.Aggregate(Int128.Zero, (sum, line) => sum + line.Balance));
        var verification = await harness.VerifyAsync();
        Assert.True(verification.Events > 100);
    }

    [Fact]
    public async Task Each_event_carries_its_own_actor_and_a_time_that_never_falls()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 3, 100);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(i => ledger.AskAsync(
            new LedgerRequest(new Actor($"participant_{i}", Roles.None), "k", Pay(Account(i), Account((i + 1) % 3), 1)))));
        Assert.Equal(3, await harness.CountAsync(
            "select count(distinct user_name) from mt_events where user_name like 'participant\\_%'"));
        Assert.Equal(0, await harness.CountAsync(
            "select count(*) from (select timestamp - lag(timestamp) over (order by version) as step from mt_events) s where step < '0'"));
    }

    [Fact]
    public async Task The_journal_holds_events_in_the_wire_form()
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 1, 100);
        Assert.Equal(1, await harness.CountAsync(
            """
            select count(*) from mt_events where type = 'transaction_posted' and data = '{"id": "fund-0", "kind": "test",
              "postings": [{"from": "network/emission", "to": "participant/0/available", "amount": "100", "asset": "LMR"}]}'
            """));
    }

    [Fact]
    public async Task A_refusal_is_the_same_after_a_restart()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 2, 5);
        var request = Request("poor", Pay(Account(0), Account(1), 6));
        var first = Assert.IsType<LedgerOutcome.Refused>(await ledger.AskAsync(request));
        Assert.Equal(LedgerCodes.InsufficientFunds, first.Rejection.Code);
        await FundAsync(ledger, 2, 5);
        var other = await harness.WriterAsync();
        Assert.Equal(first with { Replayed = true }, await other.AskAsync(request));
    }

    [Fact]
    public async Task The_64_bit_border_holds_in_the_database()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 2, 1);
        var pay = Request("max", Pay(ChartOfAccounts.Emission, Account(0), long.MaxValue - 1));
        Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(pay));
        Assert.Equal(long.MaxValue, await harness.BalanceAsync(Account(0)));
        Assert.Equal(long.MinValue, await harness.BalanceAsync(ChartOfAccounts.Emission) - 0);
        var over = await ledger.AskAsync(Request("over", Pay(Account(1), Account(0), 1)));
        Assert.Equal(LedgerCodes.Overflow, Assert.IsType<LedgerOutcome.Refused>(over).Rejection.Code);
    }

    [Fact]
    public async Task Two_writers_that_fight_over_the_fence_lose_turns_and_no_money()
    {
        await using var harness = await StartAsync(databases);
        var (left, right) = (await harness.WriterAsync(), await harness.WriterAsync());
        await FundAsync(left, 4, 1_000_000);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++)
            {
                // Both writers get the same requests, so every second one has to be a replay.
                var request = Request($"k{worker / 2}-{i}", Pay(Account(worker / 2), Account((worker / 2 + 1) % 4), 1 + i));
                Assert.IsType<LedgerOutcome.Posted>(await (worker % 2 == 0 ? left : right).AskAsync(request));
            }

            return 40;
        })));
        Assert.Equal(320, answers.Sum());
        Assert.Equal(160, await harness.CountAsync("select count(*) from mt_events where stream_id like 'ledger/%' and data->>'id' like 'k%'"));
        for (var i = 0; i < 4; i++)
            Assert.Equal(1_000_000, await harness.BalanceAsync(Account(i)));
    }

    /// <summary>
    /// The fence is a number. The first of two batches on their way loses it to another writer, who leaves fence and journal exactly
    /// where that batch would have left them: the second, which was decided on the first, must not take them for it.
    /// </summary>
    [Fact]
    public async Task A_batch_does_not_follow_another_writers_commit_as_if_it_were_that_of_the_batch_before()
    {
        await using var harness = await StartAsync(databases);
        var gate = new Gate();
        var (left, right) = (await harness.WriterAsync(gate), await harness.WriterAsync());
        await FundAsync(left, 4, 1_000);
        gate.Close();
        var first = left.AskAsync(Request("first", Pay(Account(0), Account(1), 5)));
        await gate.Reached;
        var second = left.AskAsync(Request("second", Pay(Account(1), Account(2), 1)));
        await gate.ReachedAgain;
        Assert.IsType<LedgerOutcome.Posted>(await right.AskAsync(Request("other", Pay(Account(3), Account(0), 7))));
        gate.Open();
        Assert.All(await Task.WhenAll(first, second), answer => Assert.IsType<LedgerOutcome.Posted>(answer));
        var balances = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => harness.BalanceAsync(Account(i))));
        Assert.Equal([1_002, 1_004, 1_001, 993], balances);
    }

    /// <summary>
    /// One has the fence and adds rows; the other waits for it with a batch, behind which a second one has already added rows
    /// under the same ids. PostgreSQL sees no circle: the second batch waits for the first in its own process.
    /// </summary>
    [Fact]
    public async Task Rows_that_are_there_ahead_of_the_fence_do_not_hold_the_writer_that_has_it()
    {
        await using var harness = await StartAsync(databases);
        var gate = new Gate();
        var (left, right) = (await harness.WriterAsync(), await harness.WriterAsync(gate));
        await FundAsync(left, 2, 1_000);
        gate.Close();
        var others = right.SubmitAsync(
            [Request("other-1", Pay(Account(0), Account(1), 1)), Request("other-2", Pay(Account(0), Account(1), 2))],
            BulkMode.Independent, TestContext.Current.CancellationToken);
        await gate.Reached;
        var first = left.AskAsync(Request("first", Pay(Account(0), Account(1), 4)));
        await Patience.UntilAsync(() => StandsAsync("wait_event_type = 'Lock' and query like '%ledger_fence%'"));
        var second = left.AskAsync(Request("second", Pay(Account(0), Account(1), 8)));
        await Patience.UntilAsync(() => StandsAsync("state = 'idle in transaction' and query like '%ledger_entry%'"));
        gate.Open();
        // Less than the 30 s after which a statement gives up.
        var answers = (await others.WaitAsync(TimeSpan.FromSeconds(25), TestContext.Current.CancellationToken)).Concat(await Task.WhenAll(first, second));
        Assert.All(answers, answer => Assert.IsType<LedgerOutcome.Posted>(answer));
        Assert.Equal(1_015, await harness.BalanceAsync(Account(1)));

        async Task<bool> StandsAsync(string how) => await harness.CountAsync(
            $"select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and {how}") > 0;
    }

    [Fact]
    public async Task A_full_queue_answers_busy_and_a_drained_one_has_answered_everybody()
    {
        await using var harness = await StartAsync(databases);
        var funding = await harness.WriterAsync();
        await FundAsync(funding, 2, 100);
        var ledger = await harness.WriterAsync(options: new LedgerOptions { QueueLengthMax = 10 }, run: false);
        var waiting = Enumerable.Range(0, 10)
            .Select(i => ledger.AskAsync(Request($"w{i}", Pay(Account(0), Account(1), 1)))).ToList();
        var eleventh = await ledger.AskAsync(Request("w10", Pay(Account(0), Account(1), 1)));
        Assert.True(Assert.IsType<LedgerOutcome.Busy>(eleventh).RetryAfter > TimeSpan.Zero);
        ledger.Complete();
        await harness.Run(ledger);
        Assert.All(await Task.WhenAll(waiting), answer => Assert.IsType<LedgerOutcome.Posted>(answer));
        Assert.Equal(110, await harness.BalanceAsync(Account(1)));
        Assert.IsType<LedgerOutcome.Busy>(
            await ledger.AskAsync(Request("late", Pay(Account(0), Account(1), 1))));
    }

    [Fact]
    public async Task An_actor_that_causes_refusals_without_end_is_told_to_wait()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync(options: new LedgerOptions { RefusalsPerMinuteMax = 3 });
        await FundAsync(ledger, 2, 1);
        var outcomes = new List<LedgerOutcome>();
        for (var i = 0; i < 8; i++)
            outcomes.Add(await ledger.AskAsync(
                new LedgerRequest(new Actor("participant_x", Roles.None), $"k{i}", Pay(Account(0), Account(1), 9))));
        Assert.InRange(outcomes.OfType<LedgerOutcome.Refused>().Count(), 3, 6);
        Assert.NotEmpty(outcomes.OfType<LedgerOutcome.Busy>());
    }

    [Theory]
    [InlineData(BulkMode.Independent)]
    [InlineData(BulkMode.AllOrNothing)]
    public async Task An_actor_causes_no_more_refusals_by_asking_for_many_at_once(BulkMode mode)
    {
        await using var harness = await StartAsync(databases);
        var clock = new StillClock();
        var ledger = await harness.WriterAsync(options: new LedgerOptions { RefusalsPerMinuteMax = 3 }, clock: clock);
        await FundAsync(ledger, 2, 1);
        var calls = Enumerable.Range(0, 20).Select(call => ledger.SubmitAsync(
            [
                .. Enumerable.Range(0, 10).Select(i => new LedgerRequest(
                    new Actor("participant_x", Roles.None), $"k{call}.{i}", Pay(Account(0), Account(1), i % 2 == 0 ? 9 : 8))),
            ], mode, TestContext.Current.CancellationToken));
        var outcomes = (await Task.WhenAll(calls)).SelectMany(call => call).ToList();

        Assert.Equal(3, outcomes.OfType<LedgerOutcome.Refused>().Count(refused => refused.Rejection.Code == LedgerCodes.InsufficientFunds));
        Assert.Equal(3, await harness.CountAsync("select count(*) from mt_events where type = 'transaction_rejected'"));
        // The calls that cause nothing wait as a whole.
        Assert.Equal(mode == BulkMode.Independent ? 197 : 170, outcomes.OfType<LedgerOutcome.Busy>().Count());
        Assert.Equal(1, await harness.BalanceAsync(Account(0)));

        // Money that is there still moves, and the next minute is another one.
        Assert.IsType<LedgerOutcome.Busy>(await ledger.AskAsync(
            new LedgerRequest(new Actor("participant_x", Roles.None), "good", Pay(Account(0), Account(1), 1))));
        clock.Forward(TimeSpan.FromMinutes(1));
        Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(
            new LedgerRequest(new Actor("participant_x", Roles.None), "good", Pay(Account(0), Account(1), 1))));
    }

    [Fact]
    public async Task A_refusal_that_is_decided_again_counts_once()
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 2, 1);
        // The first batch of a writer goes alone, the next one ahead of it: each of them fails once.
        var ledger = await harness.WriterAsync(
            new FailsAt(1, 3), new LedgerOptions { RefusalsPerMinuteMax = 2, AttemptPause = TimeSpan.FromMilliseconds(1) },
            clock: new StillClock());
        var person = new Actor("participant_x", Roles.None);
        for (var i = 0; i < 2; i++)
            Assert.IsType<LedgerOutcome.Refused>(await ledger.AskAsync(new LedgerRequest(person, $"k{i}", Pay(Account(0), Account(1), 9))));
        Assert.IsType<LedgerOutcome.Busy>(await ledger.AskAsync(new LedgerRequest(person, "k2", Pay(Account(0), Account(1), 9))));
    }

    [Fact]
    public async Task A_small_cache_decides_as_a_large_one()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync(options: new LedgerOptions { CachedAccountsMax = 2, BatchSizeMax = 3 });
        await FundAsync(ledger, 10, 10);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => ledger.AskAsync(
            Request($"r{i}", Pay(Account(i % 10), Account((i + 1) % 10), 1)))));
        for (var i = 0; i < 10; i++)
            Assert.Equal(10, await harness.BalanceAsync(Account(i)));
    }

    [Fact]
    public async Task The_database_itself_refuses_a_balance_below_the_floor()
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 1, 10);
        var fault = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => harness.ExecuteAsync(
            $"update ledger_account set balance = -1 where code = '{Account(0)}'"));
        Assert.Equal("ledger_account_floor", fault.ConstraintName);
    }

    /// <summary>Loses the connection in front of some of its appends, counted from 1.</summary>
    private sealed class FailsAt(params int[] appends) : ILedgerProbe
    {
        private int _appends;

        public ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct) =>
            point == CommitPoint.BeforeAppend && appends.Contains(++_appends)
                ? throw new NpgsqlException("gone", new IOException("connection reset"))
                : ValueTask.CompletedTask;
    }

    /// <summary>Stands still but for what it is put forward.</summary>
    private sealed class StillClock : TimeProvider
    {
        private DateTimeOffset _now = System.GetUtcNow();

        public void Forward(TimeSpan by) => _now += by;

        public override DateTimeOffset GetUtcNow() => _now;
    }

    /// <summary>Holds the first batch that comes after it was closed in front of its append, and tells when the next one has got there.</summary>
    private sealed class Gate : ILedgerProbe
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _again = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _isClosed;

        public Task Reached => _reached.Task.WaitAsync(Patience.Time);

        public Task ReachedAgain => _again.Task.WaitAsync(Patience.Time);

        public void Close() => _isClosed = true;

        public void Open() => _opened.TrySetResult();

        public async ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct)
        {
            if (!_isClosed || point != CommitPoint.BeforeAppend)
                return;
            if (_reached.TrySetResult())
                await _opened.Task;
            else
                _again.TrySetResult();
        }
    }
}
