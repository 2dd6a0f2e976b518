using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Ledger;
using Npgsql;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

public sealed class LedgerCrashTests(TestDatabases databases)
{
    [Theory]
    [InlineData(CommitPoint.BeforeAppend)]
    [InlineData(CommitPoint.AfterAppend)]
    [InlineData(CommitPoint.AfterCommit)]
    public async Task A_connection_killed_at_any_point_costs_nobody_money(CommitPoint point)
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 2, 1_000);
        var ledger = await harness.WriterAsync(new KillConnection(harness, point));
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => ledger.AskAsync(
            Request($"k{i}", Pay(Account(0), Account(1), 1)))));
        Assert.All(answers, answer => Assert.IsType<LedgerOutcome.Posted>(answer));
        Assert.Equal(1_020, await harness.BalanceAsync(Account(1)));
        Assert.Equal(20, await harness.CountAsync("select count(*) from mt_events where stream_id like 'ledger/%' and data->>'id' like 'k%'"));
    }

    [Theory]
    [InlineData(CommitPoint.BeforeAppend, 0)]
    [InlineData(CommitPoint.AfterAppend, 0)]
    [InlineData(CommitPoint.AfterCommit, 1)]
    public async Task A_writer_that_dies_at_any_point_leaves_an_outcome_that_the_next_one_completes(
        CommitPoint point, int durable)
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 2, 1_000);
        var death = new Die(point);
        var dying = await harness.WriterAsync(death, run: false);
        var request = Request("k", Pay(Account(0), Account(1), 1));
        var lost = dying.AskAsync(request);
        using var life = new CancellationTokenSource();
        var loop = dying.RunAsync(life.Token);
        await death.Reached;
        await life.CancelAsync();
        await Assert.ThrowsAsync<LedgerUnavailableException>(() => lost);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        Assert.Equal(durable, await harness.CountAsync("select count(*) from mt_events where stream_id like 'ledger/%' and data->>'id' = 'k'"));
        var next = await harness.WriterAsync();
        var answer = Assert.IsType<LedgerOutcome.Posted>(await next.AskAsync(request));
        Assert.Equal(durable == 1, answer.Replayed);
        Assert.Equal(1_001, await harness.BalanceAsync(Account(1)));
    }

    private sealed class KillConnection(LedgerHarness harness, CommitPoint where) : ILedgerProbe
    {
        private int _killed;

        public async ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct)
        {
            if (point != where || Interlocked.Exchange(ref _killed, 1) == 1)
                return;
            if (point == CommitPoint.AfterCommit)
                throw new NpgsqlException("the answer is lost", new IOException("connection reset"));
            await harness.ExecuteAsync($"select pg_terminate_backend({backend}, 5000)");
        }
    }

    private sealed class Die(CommitPoint where) : ILedgerProbe
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task.WaitAsync(Patience.Time, TestContext.Current.CancellationToken);

        public async ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct)
        {
            if (point != where)
                return;
            _reached.TrySetResult();
            await Task.Delay(Timeout.Infinite, ct);
        }
    }
}
