using System.Globalization;
using Lumora.Projections.Ledger;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lumora.Api.Ledger;

/// <summary>Somebody writes the ledger of every shard, and whether it is this host.</summary>
internal sealed class LedgerWriterHealth(Ledgers ledgers) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var standings = ledgers.Standings;
        var data = standings.ToDictionary(
            standing => standing.Shard,
            standing => (object)string.Create(
                CultureInfo.InvariantCulture, $"{(standing.IsWriter ? "writer" : "forwards")}, term {standing.Term}"),
            StringComparer.Ordinal);
        // A host without a writer serves all that asks nothing of the ledger, and the rest after the take-over.
        return Task.FromResult(standings.FirstOrDefault(standing => !standing.HasWriter) is { } without
            ? HealthCheckResult.Degraded($"ledger_without_writer: shard {without.Shard}", data: data)
            : HealthCheckResult.Healthy(data: data));
    }
}
