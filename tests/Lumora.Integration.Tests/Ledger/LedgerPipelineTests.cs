using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Ledger;
using Npgsql;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>Two batches in flight: what the second one may believe of the first, and what becomes of it when that fails.</summary>
public sealed class LedgerPipelineTests(TestDatabases databases)
{
    private static readonly LedgerOptions OneByOne = new() { BatchSizeMax = 1, AttemptPause = TimeSpan.FromMilliseconds(5) };

    [Fact]
    public async Task A_batch_is_decided_on_what_the_one_before_it_has_not_committed_yet()
    {
        await using var harness = await StartAsync(databases);
        var gate = new Gate();
        var ledger = await FundedAsync(harness, gate, OneByOne);
        gate.CloseAt(CommitPoint.AfterAppend);
        // The account has 100: the second payment is possible because of the first, the third is not because of the second.
        var first = ledger.AskAsync(Request("first", Pay(Account(1), Account(0), 50)));
        await gate.Reached;
        var second = ledger.AskAsync(Request("second", Pay(Account(0), Account(1), 150)));
        var third = ledger.AskAsync(Request("third", Pay(Account(0), Account(1), 1)));
        gate.Open();
        Assert.IsType<LedgerOutcome.Posted>(await first);
        Assert.IsType<LedgerOutcome.Posted>(await second);
        Assert.Equal(LedgerCodes.InsufficientFunds, Assert.IsType<LedgerOutcome.Refused>(await third).Rejection.Code);
    }

    [Fact]
    public async Task A_repeated_request_is_not_answered_before_the_first_one_is_committed()
    {
        await using var harness = await StartAsync(databases);
        var gate = new Gate();
        var ledger = await FundedAsync(harness, gate, OneByOne);
        gate.CloseAt(CommitPoint.AfterAppend);
        var request = Request("once", Pay(Account(0), Account(1), 1));
        var first = ledger.AskAsync(request);
        await gate.Reached;
        var again = ledger.AskAsync(request);
        var other = ledger.AskAsync(Request("once", Pay(Account(0), Account(1), 2)));
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.False(again.IsCompleted || other.IsCompleted);
        gate.Open();
        Assert.False(Assert.IsType<LedgerOutcome.Posted>(await first).Replayed);
        Assert.True(Assert.IsType<LedgerOutcome.Posted>(await again).Replayed);
        Assert.Equal(
            LedgerCodes.IdempotencyConflict, Assert.IsType<LedgerOutcome.Refused>(await other).Rejection.Code);
    }

    [Theory]
    [InlineData(CommitPoint.BeforeAppend)]
    [InlineData(CommitPoint.AfterAppend)]
    [InlineData(CommitPoint.AfterCommit)]
    public async Task A_batch_behind_one_that_fails_is_decided_again(CommitPoint where)
    {
        await using var harness = await StartAsync(databases);
        var gate = new Gate();
        var ledger = await FundedAsync(harness, gate, OneByOne);
        gate.CloseAt(where);
        var first = ledger.AskAsync(Request("first", Pay(Account(0), Account(1), 100)));
        await gate.Reached;
        // Possible only after the first.
        var second = ledger.AskAsync(Request("second", Pay(Account(1), Account(2), 150)));
        await Task.Delay(100, TestContext.Current.CancellationToken);
        gate.Open(new NpgsqlException("the connection is lost", new IOException("connection reset")));
        Assert.Equal(where == CommitPoint.AfterCommit, Assert.IsType<LedgerOutcome.Posted>(await first).Replayed);
        Assert.IsType<LedgerOutcome.Posted>(await second);
        Assert.Equal((0, 50, 250), (
            await harness.BalanceAsync(Account(0)), await harness.BalanceAsync(Account(1)), await harness.BalanceAsync(Account(2))));
    }

    [Fact]
    public async Task A_cache_that_holds_nothing_never_hides_what_is_in_flight()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync(options: new LedgerOptions { CachedAccountsMax = 0, BatchSizeMax = 7 });
        await FundAsync(ledger, 6, 1_000);
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(worker => Task.Run(async () =>
        {
            var (random, posted) = (new Random(worker), 0);
            for (var i = 0; i < 100; i++)
            {
                var (from, to) = (random.Next(6), random.Next(5));
                to = to >= from ? to + 1 : to;
                var outcome = await ledger.AskAsync(Request($"{worker}/{i}", Command(random, from, to)));
                posted += outcome is LedgerOutcome.Posted ? 1 : 0;
            }

            return posted;
        })));
        Assert.True(answers.Sum() > 600);

        static LedgerCommand Command(Random random, int from, int to) => random.Next(5) switch
        {
            0 => new HoldFunds("test", Account(from), new Amount(random.Next(1, 50)), DateTimeOffset.UtcNow.AddHours(1)),
            1 => new ReverseTransaction(random.Next(20, 400), "test"),
            _ => Pay(Account(from), Account(to), random.Next(1, 400)),
        };
    }

    [Fact]
    public async Task Two_writers_with_the_same_large_batches_lose_turns_and_no_money()
    {
        const int Count = 600;
        await using var harness = await StartAsync(databases);
        var (left, right) = (await harness.WriterAsync(), await harness.WriterAsync());
        await FundAsync(left, 4, 1_000_000);
        var answers = await Task.WhenAll(Enumerable.Range(0, 3 * Count).Select(i => Task.Run(() => (i % 2 == 0 ? left : right)
            .AskAsync(Request($"k{i % Count}", Pay(Account(i % Count % 4), Account((i % Count + 1) % 4), 1))))));
        Assert.All(answers, answer => Assert.IsType<LedgerOutcome.Posted>(answer));
        Assert.Equal(Count, answers.Count(answer => answer is LedgerOutcome.Posted { Replayed: false }));
        for (var i = 0; i < 4; i++)
            Assert.Equal(1_000_000, await harness.BalanceAsync(Account(i)));
    }

    private static async Task<LedgerWriter> FundedAsync(LedgerHarness harness, Gate gate, LedgerOptions options)
    {
        var ledger = await harness.WriterAsync(gate, options);
        await FundAsync(ledger, 3, 100);
        return ledger;
    }

    /// <summary>Stops the first batch that comes to a point until it is opened; then that batch goes on, or fails.</summary>
    private sealed class Gate : ILedgerProbe
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private CommitPoint? _point;
        private int _stopped;

        public Task Reached => _reached.Task.WaitAsync(Patience.Time, TestContext.Current.CancellationToken);

        public void CloseAt(CommitPoint point) => _point = point;

        public void Open(Exception? fault = null)
        {
            if (fault is null)
                _open.SetResult();
            else
                _open.SetException(fault);
        }

        public async ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct)
        {
            if (point != _point || Interlocked.Exchange(ref _stopped, 1) == 1)
                return;
            _reached.SetResult();
            await _open.Task.WaitAsync(ct);
        }
    }
}
