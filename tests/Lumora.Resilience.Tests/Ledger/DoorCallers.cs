using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Resilience.Tests.Infrastructure;

namespace Lumora.Resilience.Tests.Ledger;

/// <summary>
/// People who pay one unit after the other through a host, each time with a key of its own; what got no answer they repeat
/// with the same key, on the other host once theirs is gone.
/// </summary>
internal sealed class DoorCallers(CancellationToken ct)
{
    public const string Kind = "pay_one";
    private const string Payer = "participant/payer/available";
    private const string Payee = "participant/payee/available";
    private static readonly Actor s_network = Actor.System("test");

    // A breath between two payments: it is the pause at a change of writers that counts, not the speed.
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<string, long> _posted = new(StringComparer.Ordinal);
    private readonly List<Task> _running = [];
    private volatile Watch? _watch;
    private volatile bool _enough;
    private int _unknown;
    private int _lost;

    /// <summary>Payments that were answered.</summary>
    public int Answered => _posted.Count;

    /// <summary>The newest place in the journal that an answer named.</summary>
    public long LastVersion => _posted.Values.Max();

    /// <summary>Answers that were "outcome unknown", and answers that a host owed when its connection ended.</summary>
    public int Lost => _unknown + _lost;

    /// <summary>Opens the accounts, with money for all payments.</summary>
    public static async Task FundAsync(HostProcess host, CancellationToken ct)
    {
        foreach (var code in (string[])[Payer, Payee])
            await LedgerDoor.PostAsync(host.Client, new(s_network, $"open/{code}", new OpenAccount(code)), ct);
        await LedgerDoor.PostAsync(host.Client, new(s_network, "fund", Pay(ChartOfAccounts.Emission, Payer, 1_000_000_000, "test")), ct);
    }

    /// <summary>Starts <paramref name="count"/> people at <paramref name="first"/> and as many at <paramref name="second"/>.</summary>
    public void Start(string name, int count, HostProcess first, HostProcess second)
    {
        _enough = false;
        for (var i = 0; i < count; i++)
        {
            _running.Add(PayAsync(string.Create(CultureInfo.InvariantCulture, $"{name}-first-{i}"), first.Client, second.Client));
            _running.Add(PayAsync(string.Create(CultureInfo.InvariantCulture, $"{name}-second-{i}"), second.Client, second.Client));
        }
    }

    /// <summary>Waits until <paramref name="more"/> further payments are answered.</summary>
    public async Task MoreAsync(int more)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience.Time);
        for (var target = Answered + more; Answered < target;)
        {
            if (_running.Find(task => task.IsFaulted) is { } failed)
                await failed;
            await Task.Delay(5, limit.Token);
        }
    }

    /// <summary>
    /// Kills, and answers how long it took from before that until a payment was answered that nobody had asked for before the
    /// victim was dead: the first commit that is certainly the next writer's, its way back to the caller included.
    /// </summary>
    public async Task<TimeSpan> UntilNextCommitAsync(Func<Task> kill)
    {
        var from = Stopwatch.GetTimestamp();
        await kill();
        var watch = new Watch(Stopwatch.GetTimestamp(), new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously));
        _watch = watch;
        return Stopwatch.GetElapsedTime(from, await watch.First.Task.WaitAsync(Patience.Time, ct));
    }

    /// <summary>Lets everybody finish the payment they are at.</summary>
    public async Task StopAsync()
    {
        _enough = true;
        await Task.WhenAll(_running).WaitAsync(Patience.Time, ct);
        _running.Clear();
        Assert.Equal(Answered, _posted.Values.Distinct().Count());
    }

    private static PostTransaction Pay(string from, string to, long units, string kind = Kind) =>
        new(kind, [new Posting(from, to, new Amount(units))]);

    private async Task PayAsync(string name, HttpClient first, HttpClient second)
    {
        for (var (i, host) = (0, first); !_enough; i++)
        {
            var (key, asked) = (string.Create(CultureInfo.InvariantCulture, $"{name}-{i}"), Stopwatch.GetTimestamp());
            while (true)
            {
                var answer = await TryAsync(host, new(s_network, key, Pay(Payer, Payee, 1)));
                Assert.IsNotType<LedgerOutcome.Refused>(answer);
                if (answer is LedgerOutcome.Posted posted)
                {
                    Note(key, posted, asked);
                    break;
                }

                host = second;
            }

            await Task.Delay(Breath, ct);
        }
    }

    private async Task<LedgerOutcome?> TryAsync(HttpClient host, LedgerRequest request)
    {
        try
        {
            var answer = await LedgerDoor.AskAsync(host, request, ct);
            if (answer is null)
                Interlocked.Increment(ref _unknown);
            return answer;
        }
        catch (Exception gone) when (gone is HttpRequestException or IOException)
        {
            return null;
        }
    }

    private void Note(string key, LedgerOutcome.Posted posted, long asked)
    {
        _posted[key] = posted.JournalVersion;
        if (posted.Replayed)
            Interlocked.Increment(ref _lost);
        if (_watch is { } watch && asked > watch.Since)
            watch.First.TrySetResult(Stopwatch.GetTimestamp());
    }

    private sealed record Watch(long Since, TaskCompletionSource<long> First);
}
