using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Ledger;

/// <summary>The running comparison of ledger and journal: passes, alarm, and what it stops.</summary>
internal static class LedgerReconciliationModule
{
    /// <summary>Adds the passes, <see cref="LedgerHealth"/> and its health check (<c>Lumora:Ledger:Reconciliation</c>).</summary>
    public static WebApplicationBuilder AddLedgerReconciliation(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<LedgerReconciliationOptions>().BindConfiguration(LedgerReconciliationOptions.Section)
            .Validate(o => IsWithin(o.Interval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)), Bounds("Interval", "100 ms to 1 hour"))
            .Validate(o => IsWithin(o.FullInterval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(30)), Bounds("FullInterval", "1 second to 30 days"))
            .Validate(
                o => IsWithin(o.FullIntervalAfterFindings, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
                Bounds("FullIntervalAfterFindings", "1 second to 1 day"))
            .Validate(o => o.ChunkEvents is >= 1 and <= 100_000, Bounds("ChunkEvents", "1 to 100,000"))
            .Validate(o => o.EventsPerSecondMax is >= 100 and <= 1_000_000, Bounds("EventsPerSecondMax", "100 to 1,000,000"))
            .Validate(o => o.AccountsInMemoryMax is >= 1_000 and <= 10_000_000, Bounds("AccountsInMemoryMax", "1,000 to 10,000,000"))
            .ValidateOnStart();
        services.AddSingleton<LedgerHealth>();
        services.AddSingleton<LedgerAlarm>();
        services.AddSingleton(Reconcilers);
        services.AddHostedService<LedgerReconciliation>();
        services.AddHostedService<LedgerFullReconciliation>();
        services.AddHealthChecks().AddCheck<LedgerHealthCheck>("ledger", tags: ["ready"]);
        return builder;
    }

    private static IReadOnlyList<LedgerReconciler> Reconcilers(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<LedgerReconciliationOptions>>().Value;
        var (sessions, clock) = (services.GetRequiredService<ShardSessions>(), services.GetRequiredService<TimeProvider>());
        if (!options.Enabled)
            return [];
        var peers = LedgerVerifier.PeersOf(sessions);
        return [.. Enum.GetValues<ShardRole>().Select(sessions.ShardOf).Distinct(StringComparer.Ordinal)
            .Select(shard => new LedgerReconciler(sessions.DataSource(shard), shard, options, clock, peers))];
    }

    private static bool IsWithin(TimeSpan value, TimeSpan min, TimeSpan max) => value >= min && value <= max;

    private static string Bounds(string name, string bounds) => $"{LedgerReconciliationOptions.Section}:{name} must be {bounds}.";
}
