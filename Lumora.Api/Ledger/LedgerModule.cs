using Lumora.Projections.Ledger;

namespace Lumora.Api.Ledger;

/// <summary>The ledger: one writer per shard, started with the host and drained with it.</summary>
internal static class LedgerModule
{
    /// <summary>Adds the writers, the queries and their options (<c>Lumora:Ledger</c>).</summary>
    public static WebApplicationBuilder AddLedger(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<LedgerOptions>().BindConfiguration("Lumora:Ledger")
            .Validate(o => o.QueueLengthMax is >= 1 and <= 1_000_000, "Lumora:Ledger:QueueLengthMax must be 1 to 1,000,000.")
            .Validate(o => o.BatchSizeMax is >= 1 and <= 8_192, "Lumora:Ledger:BatchSizeMax must be 1 to 8,192.")
            .Validate(
                o => o.CachedAccountsMax is >= 0 and <= 10_000_000,
                "Lumora:Ledger:CachedAccountsMax must be 0 to 10,000,000.")
            .Validate(o => o.AttemptsMax is >= 1 and <= 20, "Lumora:Ledger:AttemptsMax must be 1 to 20.")
            .Validate(o => o.RefusalsPerMinuteMax >= 1, "Lumora:Ledger:RefusalsPerMinuteMax must be at least 1.")
            .ValidateOnStart();
        builder.Services.AddSingleton<LedgerMetrics>();
        builder.Services.AddSingleton<ILedgers, Ledgers>();
        builder.Services.AddSingleton<LedgerQueries>();
        builder.Services.AddSingleton<LedgerVerifier>();
        builder.Services.AddHostedService(services => (Ledgers)services.GetRequiredService<ILedgers>());
        return builder.AddLedgerReconciliation();
    }
}
