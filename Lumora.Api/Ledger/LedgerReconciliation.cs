using System.Diagnostics;
using Lumora.Api.Tasks;
using Lumora.Projections.Ledger;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Ledger;

/// <summary>Derives and compares what is new in each ledger, in small steps at a bounded rate.</summary>
internal sealed class LedgerReconciliation(
    IReadOnlyList<LedgerReconciler> reconcilers, LedgerAlarm alarm, IOptions<LedgerReconciliationOptions> options,
    ILogger<LedgerReconciliation> logger)
    : Worker(logger)
{
    /// <summary>Before anything else runs, the host knows what was known when the last one stopped.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var reconciler in reconcilers)
        {
            await reconciler.PrepareAsync(cancellationToken);
            await alarm.UpdateAsync(reconciler, cancellationToken);
        }

        if (reconcilers.Count > 0)
            await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task<bool> PassAsync(CancellationToken ct)
    {
        var more = false;
        foreach (var reconciler in reconcilers)
        {
            var started = Stopwatch.GetTimestamp();
            var events = await reconciler.PassAsync(ct);
            await alarm.UpdateAsync(reconciler, ct);
            more |= events >= options.Value.ChunkEvents;
            var rest = TimeSpan.FromSeconds((double)events / options.Value.EventsPerSecondMax) - Stopwatch.GetElapsedTime(started);
            if (rest > TimeSpan.Zero)
                await Task.Delay(rest, ct);
        }

        return more;
    }

    /// <inheritdoc/>
    protected override Task IdleAsync(CancellationToken ct) => Task.Delay(options.Value.Interval, ct);
}

/// <summary>Verifies the whole of each ledger from time to time; the only thing that ends an alarm.</summary>
internal sealed class LedgerFullReconciliation(
    IReadOnlyList<LedgerReconciler> reconcilers, LedgerAlarm alarm, IOptions<LedgerReconciliationOptions> options,
    ILogger<LedgerFullReconciliation> logger)
    : Worker(logger)
{
    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken) =>
        reconcilers.Count > 0 ? base.StartAsync(cancellationToken) : Task.CompletedTask;

    /// <inheritdoc/>
    protected override async Task<bool> PassAsync(CancellationToken ct)
    {
        foreach (var reconciler in reconcilers)
        {
            if (await reconciler.FullPassAsync(ct))
                await alarm.UpdateAsync(reconciler, ct);
        }

        return false;
    }

    /// <inheritdoc/>
    protected override Task IdleAsync(CancellationToken ct) => Task.Delay(options.Value.Interval, ct);
}
