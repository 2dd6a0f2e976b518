using Lumora.Chain.Solana;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lumora.Api.Solana;

/// <summary>Whether anchors can be made. A missing chain degrades the host, it does not stop it.</summary>
internal sealed class SolanaHealth(SolanaConnection connection) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(connection.Current is null
            ? HealthCheckResult.Degraded($"solana_unavailable: {connection.Status}; anchors and payouts wait")
            : HealthCheckResult.Healthy(connection.Status));
}
