using Lumora.Chain.Anchoring;
using Lumora.Chain.Log;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Anchoring;

/// <summary>Anchors of the log's checkpoints on Solana. Needs the log and the connection to Solana.</summary>
internal static class AnchoringModule
{
    /// <summary>Adds the worker and what it says about itself.</summary>
    public static WebApplicationBuilder AddAnchoring(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<AnchoringOptions>, AnchoringOptionsRule>();
        builder.Services.AddOptions<AnchoringOptions>().BindConfiguration("Anchoring").ValidateOnStart();
        builder.Services.AddSingleton<IPublishedCheckpoints, PublishedCheckpoints>();
        builder.Services.AddSingleton<IAnchoredCheckpoints, AnchoredCheckpoints>();
        builder.Services.AddSingleton<AnchorStatus>();
        builder.Services.AddHostedService<AnchorWorker>();
        builder.Services.AddHostedService<RegionCheckpointWorker>();
        builder.Services.AddSingleton<ComposedProofs>();
        builder.Services.AddHealthChecks().AddCheck<AnchoringHealth>("anchoring", tags: ["ready"]);
        return builder;
    }

    private sealed class AnchoringOptionsRule : IValidateOptions<AnchoringOptions>
    {
        public ValidateOptionsResult Validate(string? name, AnchoringOptions options) =>
            options.Fault() is { } fault ? ValidateOptionsResult.Fail(fault) : ValidateOptionsResult.Success;
    }

    private sealed class AnchoringHealth(AnchorStatus status) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var data = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["leavesWaiting"] = status.LeavesWaiting,
                ["unanchoredAgeSeconds"] = (long)status.UnanchoredAge.TotalSeconds,
            };
            if (status.WalletLamports is { } lamports)
                data["walletLamports"] = lamports;
            string?[] faults =
            [
                status.Fault is { } fault ? $"anchoring_waits: {fault}" : null,
                status.WalletLow is { } low ? $"anchor_wallet_low: {low}" : null,
            ];
            var text = string.Join("; ", faults.OfType<string>());
            return Task.FromResult(text.Length > 0
                ? HealthCheckResult.Degraded(text, data: data)
                : HealthCheckResult.Healthy(data: data));
        }
    }
}
