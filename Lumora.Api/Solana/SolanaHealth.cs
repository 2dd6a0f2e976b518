using Lumora.Chain.Solana;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lumora.Api.Solana;

/// <summary>Whether anchors can be made. A missing chain degrades the host, it does not stop it.</summary>
internal sealed class SolanaHealth(SolanaConnection connection) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(connection.Current is { } cluster
            ? HealthCheckResult.Healthy(connection.Status, DataOf(cluster))
            : HealthCheckResult.Degraded($"solana_unavailable: {connection.Status}; anchors and payouts wait"));

    // The address of a local chain changes with each start, and whoever checks anchors there must find it. The address
    // of a configured server may carry a provider's access key and is not told.
    private static Dictionary<string, object>? DataOf(SolanaCluster cluster) => cluster.IsLocal
        ? new Dictionary<string, object>(StringComparer.Ordinal) { ["endpoint"] = cluster.Servers[0].NodeAddress }
        : null;
}
