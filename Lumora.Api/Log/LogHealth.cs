using Lumora.Chain.Log;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Lumora.Api.Log;

/// <summary>The log of every shard takes up new events and is being published.</summary>
internal sealed class LogHealth(LogPublishing publishing, ShardLogs logs) : IHealthCheck
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
}
