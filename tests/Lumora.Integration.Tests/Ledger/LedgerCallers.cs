using System.Collections.Concurrent;
using System.Diagnostics;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>
/// People who pay one unit after the other, each with a key of its own, through the host that they know; what got no
/// answer, or "busy", they repeat with the same key, on the other host when theirs is gone.
/// </summary>
internal sealed class LedgerCallers : IAsyncDisposable
{
    private static readonly TimeSpan RepeatPause = TimeSpan.FromMilliseconds(5);

    private readonly List<Task> _running = [];
    private readonly ConcurrentBag<(string Key, long JournalVersion)> _posted = [];
    private readonly Lock _gate = new();
    private volatile bool _enough;
    private volatile bool _gaveUp;
    private int _unknown;
    private long _lastAnswer;
    private TimeSpan _pause;

    /// <summary>Keys that were answered.</summary>
    public int Answered => _posted.Count;

    /// <summary>Answers that were "outcome unknown".</summary>
    public int Unknown => _unknown;

    /// <summary>The longest time in which nobody at all was answered; read it when they have stopped.</summary>
    public TimeSpan Pause => _pause;

    /// <summary>The payer's account with money for all payments, and the payee's with none.</summary>
    public static async Task OpenAsync(ILedger ledger)
    {
        await FundAsync(ledger, 1, 1_000_000);
        Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Request("open-1", new OpenAccount(Account(1)))));
    }

    /// <summary>Starts <paramref name="count"/> people who ask <paramref name="first"/>, and else <paramref name="second"/>.</summary>
    public LedgerCallers Start(string name, int count, ILedger first, ILedger second)
    {
        for (var i = 0; i < count; i++)
        {
            var caller = $"{name}{i}";
            _running.Add(Task.Run(() => PayAsync(caller, first, second)));
        }

        return this;
    }

    /// <summary>Waits until <paramref name="more"/> further keys are answered.</summary>
    public async Task MoreAsync(int more)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience.Time);
        for (var target = Answered + more; Answered < target;)
        {
            if (_running.Find(task => task.IsFaulted) is { } failed)
                await failed;
            await Task.Delay(5, limit.Token);
        }
    }

    /// <summary>Lets everybody finish the payment they are at, and checks that each key moved its unit once.</summary>
    public async Task StopAsync(LedgerHarness harness)
    {
        _enough = true;
        await Task.WhenAll(_running).WaitAsync(Patience.Time, TestContext.Current.CancellationToken);
        Assert.Equal(Answered, _posted.Select(posted => posted.Key).Distinct().Count());
        Assert.Equal(Answered, _posted.Select(posted => posted.JournalVersion).Distinct().Count());
        Assert.Equal(Answered, await harness.CountAsync("select count(*) from ledger_outcome where kind = 'pay_one'"));
        Assert.Equal(Answered, await harness.BalanceAsync(Account(1)));
    }

    /// <summary>Of a test that failed: nobody goes on.</summary>
    public async ValueTask DisposeAsync()
    {
        _enough = _gaveUp = true;
        await Task.WhenAll(_running).ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(Patience.Time);
    }

    private async Task PayAsync(string caller, ILedger first, ILedger second)
    {
        var pay = Pay(Account(0), Account(1), 1) with { Kind = "pay_one" };
        for (var i = 0; !_enough; i++)
        {
            var request = Request($"{caller}-{i}", pay);
            for (var attempt = 0; !_gaveUp; attempt++)
            {
                var answer = await TryAsync(attempt % 2 == 0 ? first : second, request);
                if (answer is LedgerOutcome.Posted posted)
                {
                    Note(request.Key, posted.JournalVersion);
                    break;
                }

                Assert.IsNotType<LedgerOutcome.Refused>(answer);
                await Task.Delay(RepeatPause);
            }
        }
    }

    private void Note(string key, long journalVersion)
    {
        lock (_gate)
        {
            var now = Stopwatch.GetTimestamp();
            if (_lastAnswer > 0 && Stopwatch.GetElapsedTime(_lastAnswer, now) is var pause && pause > _pause)
                _pause = pause;
            _lastAnswer = now;
            _posted.Add((key, journalVersion));
        }
    }

    private async Task<LedgerOutcome?> TryAsync(ILedger ledger, LedgerRequest request)
    {
        try
        {
            return await ledger.AskAsync(request);
        }
        catch (LedgerUnavailableException)
        {
            Interlocked.Increment(ref _unknown);
            return null;
        }
    }
}
