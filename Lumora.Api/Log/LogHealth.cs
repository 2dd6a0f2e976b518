using System.Globalization;
using Lumora.Chain.Log;
using Lumora.Chain.Witnessing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Lumora.Api.Log;

/// <summary>The log of every shard takes up new events and is being published.</summary>
internal sealed class LogHealth(LogPublishing publishing, ShardLogs logs, WitnessStatus witnesses, TimeProvider clock) : IHealthCheck
{
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // Nothing but the log waits for the log: the host serves on and says so.
        if (publishing.Refusals.OrderBy(refusal => refusal.Key, StringComparer.Ordinal).FirstOrDefault() is { Key: { } refused, Value: var why })
            return HealthCheckResult.Degraded($"log_refused: shard {refused}: {why}");
        var shards = string.Join(", ", publishing.Faults.Keys.Order(StringComparer.Ordinal));
        if (shards.Length > 0)
            return HealthCheckResult.Degraded($"log_not_published: shard {shards}; the host's own log says why");
        if (Unwitnessed() is { } unwitnessed)
            return HealthCheckResult.Degraded(unwitnessed);
        foreach (var log in logs.All)
        {
            try
            {
                if (await log.Leaves.IsBehindAsync(DelayMax, cancellationToken))
                    return HealthCheckResult.Degraded($"log_not_sequenced: events of shard {log.Shard} wait to be logged");
            }
            catch (NpgsqlException fault)
            {
                return HealthCheckResult.Degraded($"log_unknown: shard {log.Shard}", fault);
            }
        }

        return HealthCheckResult.Healthy();
    }

    private string? Unwitnessed()
    {
        var late = witnesses.Waiting.Where(waiting => waiting.Value.IsLate).OrderBy(waiting => waiting.Value.Since).FirstOrDefault();
        if (late.Value is not { } checkpoint)
            return null;
        var failures = string.Join("; ", witnesses.Failures.OrderBy(failure => failure.Key, StringComparer.Ordinal)
            .Select(failure => $"{failure.Key}: {failure.Value}"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"log_unwitnessed: shard {late.Key}: the checkpoint of {checkpoint.Size} leaves waits {(clock.GetUtcNow() - checkpoint.Since).TotalSeconds:0} s for cosignatures ({failures})");
    }
}
