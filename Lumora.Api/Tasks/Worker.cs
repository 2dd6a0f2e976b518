namespace Lumora.Api.Tasks;

/// <summary>Wakes a waiting worker; signals that come while it works are kept as one.</summary>
internal sealed class Signal : IDisposable
{
    private readonly SemaphoreSlim _set = new(0, 1);

    /// <summary>Wakes the worker.</summary>
    public void Set()
    {
        try
        {
            _set.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is set already.
        }
    }

    /// <summary>Waits for a signal, at most <paramref name="timeout"/>.</summary>
    public Task WaitAsync(TimeSpan timeout, CancellationToken ct) => _set.WaitAsync(timeout, ct);

    /// <inheritdoc/>
    public void Dispose() => _set.Dispose();
}

/// <summary>What wakes the workers of this slice. Signals only save time: stored state decides what there is to do.</summary>
internal sealed class WorkSignals : IDisposable
{
    /// <summary>A task may be waiting, or a node.</summary>
    public Signal Leases { get; } = new();

    /// <summary>A result was delivered.</summary>
    public Signal Results { get; } = new();

    /// <summary>A collection was approved, or one of its tasks ended.</summary>
    public Signal Collections { get; } = new();

    /// <inheritdoc/>
    public void Dispose()
    {
        Leases.Dispose();
        Results.Dispose();
        Collections.Dispose();
    }
}

/// <summary>
/// A worker that repeats one idempotent pass over stored state, so that it goes on after a crash where it stopped.
/// A pass that fails is logged and repeated, never the end of the worker.
/// </summary>
internal abstract partial class Worker(ILogger logger) : BackgroundService
{
    private static readonly TimeSpan PauseAfterFault = TimeSpan.FromSeconds(2);

    /// <summary>Does what there is to do; true when there may be more.</summary>
    protected abstract Task<bool> PassAsync(CancellationToken ct);

    /// <summary>Waits until there may be something to do.</summary>
    protected abstract Task IdleAsync(CancellationToken ct);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!await PassAsync(stoppingToken))
                    await IdleAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever failed, the next pass starts from stored state.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                LogFault(logger, fault, GetType().Name);
                await Task.Delay(PauseAfterFault, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Worker} failed and will try again.")]
    private static partial void LogFault(ILogger logger, Exception fault, string worker);
}
