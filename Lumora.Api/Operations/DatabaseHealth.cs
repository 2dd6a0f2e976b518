using Lumora.Projections.EventStore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Lumora.Api.Operations;

/// <summary>Every shard's database answers.</summary>
internal sealed class DatabaseHealth(ShardSessions sessions) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        foreach (var shard in sessions.Shards)
        {
            try
            {
                await using var command = sessions.DataSource(shard).CreateCommand("select 1");
                await command.ExecuteScalarAsync(cancellationToken);
            }
            catch (NpgsqlException fault)
            {
                return HealthCheckResult.Unhealthy($"database_unreachable: shard {shard}", fault);
            }
        }

        return HealthCheckResult.Healthy();
    }
}
