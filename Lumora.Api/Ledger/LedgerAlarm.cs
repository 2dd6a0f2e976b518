using System.Text;
using Lumora.Projections.Ledger;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lumora.Api.Ledger;

/// <summary>Takes over what the passes saw, on whichever host, and says so once when it changes.</summary>
internal sealed partial class LedgerAlarm(LedgerHealth health, ILogger<LedgerAlarm> logger) : IDisposable
{
    private const int Shown = 3;
    // What was read first is taken over first: an older state never replaces a newer one.
    private readonly SemaphoreSlim _turn = new(1);

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    /// <summary>Reads what is known of the ledger of <paramref name="reconciler"/>.</summary>
    public async Task UpdateAsync(LedgerReconciler reconciler, CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            var now = await reconciler.StatusAsync(ct);
            var before = health.Set(reconciler.Shard, now);
            if (now.Differs && !IsSame(before, now))
                LogDiffers(reconciler.Shard, now.Counts.Values.Sum(), Describe(now));
            else if (before.Differs && !now.Differs)
                LogSound(reconciler.Shard);
        }
        finally
        {
            _turn.Release();
        }
    }

    private static bool IsSame(LedgerShardHealth before, LedgerShardHealth now) => before.Differs
        && before.Counts.Count == now.Counts.Count
        && before.Counts.All(count => now.Counts.TryGetValue(count.Key, out var other) && other == count.Value);

    private static string Describe(LedgerShardHealth health)
    {
        var text = new StringBuilder();
        foreach (var finding in health.First.Take(Shown))
            text.Append(text.Length == 0 ? "" : "; ").Append(
                $"{finding.Code} {finding.Where}: expected {finding.Expected}, found {finding.Actual}");
        return text.ToString();
    }

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "ledger_differs: the ledger of {Shard} is not what its journal says, {Count} findings: {First}. "
            + "Payouts stop until a full pass is clean; run lumora verify-ledger.")]
    private partial void LogDiffers(string shard, long count, string first);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The ledger of {Shard} is what its journal says again; payouts go on.")]
    private partial void LogSound(string shard);
}

/// <summary>
/// Degraded, not unhealthy, while a ledger differs: purchases and postings go on, and a host that were taken out of
/// service would stop them.
/// </summary>
internal sealed class LedgerHealthCheck(LedgerHealth health) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var differing = health.Shards.Where(shard => shard.Value.Differs).ToList();
        if (differing.Count == 0)
            return Task.FromResult(HealthCheckResult.Healthy());
        // Codes and numbers alone: what stands in accounts is not for everybody who may ask for readiness.
        var data = new Dictionary<string, object>(StringComparer.Ordinal) { ["code"] = LedgerHealth.DiffersCode };
        foreach (var (code, count) in differing.SelectMany(shard => shard.Value.Counts).GroupBy(count => count.Key, StringComparer.Ordinal)
                     .Select(group => (group.Key, group.Sum(count => count.Value))))
            data[code] = count;
        return Task.FromResult(HealthCheckResult.Degraded(
            $"{LedgerHealth.DiffersCode}: shards {string.Join(", ", differing.Select(shard => shard.Key))}; payouts wait", data: data));
    }
}
