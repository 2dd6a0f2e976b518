using System.Diagnostics;

namespace Lumora.Bench.Measuring;

/// <summary>
/// A load that runs while somebody measures. It never stops between warm-up and window, so a row has no cold start and
/// no tail in which callers idle.
/// </summary>
internal sealed class Load
{
    private readonly IReadOnlyList<ICaller> _callers;
    private volatile LatencyHistogram? _window;
    private volatile bool _stopping;
    private long _transfers;
    private long _waiting;

    private Load(IReadOnlyList<ICaller> callers) => _callers = callers;

    /// <summary>Transfers that are durable by now.</summary>
    public long Transfers => Interlocked.Read(ref _transfers);

    /// <summary>Calls of an open loop that are not answered yet.</summary>
    public long Waiting => Interlocked.Read(ref _waiting);

    /// <summary>Ends when the load has ended; faults with the first fault of a caller.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Closed loop: each caller calls again as soon as it is answered.</summary>
    public static Load StartClosed(IReadOnlyList<ICaller> callers, CancellationToken ct)
    {
        var load = new Load(callers);
        load.Ended = Task.WhenAll(callers.Select(caller => Task.Run(() => load.CallAgainAsync(caller, ct), ct)));
        return load;
    }

    /// <summary>
    /// Open loop: calls start at a fixed rate, whether or not earlier ones are answered, and their latency counts from the
    /// moment at which they should have started: a stall delays nobody's clock (no coordinated omission).
    /// </summary>
    /// <param name="caller">Takes further calls before the earlier ones are answered.</param>
    /// <param name="perSecond">Calls a second.</param>
    /// <param name="ct">Gives up.</param>
    public static Load StartOpen(ICaller caller, double perSecond, CancellationToken ct)
    {
        var load = new Load([caller]);
        // A thread of its own: the pool's are the writer's and the answers'.
        load.Ended = Task.Factory.StartNew(
            () => load.DispatchAsync(caller, perSecond, ct), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        return load;
    }

    /// <summary>Latencies of calls that end from now on are counted in what is returned.</summary>
    public LatencyHistogram OpenWindow() => _window = new LatencyHistogram();

    /// <summary>Ends the window: later latencies are not counted.</summary>
    public void CloseWindow() => _window = null;

    /// <summary>Waits, but no longer than the load lasts.</summary>
    public async Task WaitAsync(TimeSpan time, CancellationToken ct)
    {
        if (await Task.WhenAny(Ended, Task.Delay(time, ct)) == Ended)
            await Ended;
    }

    /// <summary>Lets every caller end its last call.</summary>
    public async Task StopAsync()
    {
        _stopping = true;
        try
        {
            await Ended;
        }
        finally
        {
            foreach (var caller in _callers)
                await caller.DisposeAsync();
        }
    }

    private async Task CallAgainAsync(ICaller caller, CancellationToken ct)
    {
        while (!_stopping)
            await CallAsync(caller, Stopwatch.GetTimestamp(), ct);
    }

    private async Task DispatchAsync(ICaller caller, double perSecond, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var fault = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (long call = 0; !_stopping;)
        {
            var due = (long)(Stopwatch.GetElapsedTime(began).TotalSeconds * perSecond);
            for (; call < due; call++)
            {
                var intended = began + (long)(call / perSecond * Stopwatch.Frequency);
                _ = CountedAsync(intended);
            }

            Thread.Sleep(1);
        }

        while (Waiting > 0 && !fault.Task.IsCompleted)
            await Task.Delay(1, ct);
        if (fault.Task.IsCompleted)
            await fault.Task;

        // Counted and not kept: a list of what waits, looked through every millisecond, would be what a ledger that falls behind waits for.
        async Task CountedAsync(long intended)
        {
            Interlocked.Increment(ref _waiting);
            try
            {
                await CallAsync(caller, intended, ct);
            }
            catch (Exception exception)
            {
                fault.TrySetException(exception);
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
        }
    }

    private async Task CallAsync(ICaller caller, long intended, CancellationToken ct)
    {
        try
        {
            Interlocked.Add(ref _transfers, await caller.CallAsync(ct));
            _window?.Record(Stopwatch.GetElapsedTime(intended));
        }
        catch
        {
            _stopping = true;
            throw;
        }
    }
}
