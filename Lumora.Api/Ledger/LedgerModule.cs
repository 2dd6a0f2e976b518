using Lumora.Projections.Ledger;

namespace Lumora.Api.Ledger;

/// <summary>The ledger: one writer per shard among all hosts, reached from each of them.</summary>
internal static class LedgerModule
{
    /// <summary>Adds the writers, the queries and their options (<c>Lumora:Ledger</c>).</summary>
    public static WebApplicationBuilder AddLedger(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<LedgerOptions>().BindConfiguration("Lumora:Ledger")
            .Validate(o => o.QueueLengthMax is >= 16 and <= 1_000_000, "Lumora:Ledger:QueueLengthMax must be 16 to 1,000,000.")
            .Validate(o => o.BatchSizeMax is >= 1 and <= 8_192, "Lumora:Ledger:BatchSizeMax must be 1 to 8,192.")
            .Validate(
                o => o.CachedAccountsMax is >= 0 and <= 10_000_000,
                "Lumora:Ledger:CachedAccountsMax must be 0 to 10,000,000.")
            .Validate(o => o.AttemptsMax is >= 1 and <= 20, "Lumora:Ledger:AttemptsMax must be 1 to 20.")
            .Validate(o => o.RefusalsPerMinuteMax >= 1, "Lumora:Ledger:RefusalsPerMinuteMax must be at least 1.")
            .Validate(
                o => o.LeaseTime.TotalMilliseconds is >= 500 and <= 60_000,
                "Lumora:Ledger:LeaseTime must be 500 ms to 60 s.")
            .Validate(
                o => o.LeaseRenewal.TotalMilliseconds >= 50 && o.LeaseRenewal * 3 <= o.LeaseTime,
                "Lumora:Ledger:LeaseRenewal must be 50 ms to a third of LeaseTime.")
            .Validate(
                o => o.ForwardAddress is null || Uri.TryCreate(o.ForwardAddress, UriKind.Absolute, out var url)
                    && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps),
                "Lumora:Ledger:ForwardAddress must be a URL, for example http://10.0.0.5:5080.")
            .Validate(
                o => o.ForwardTimeLimit.TotalSeconds is >= 1 and <= 60, "Lumora:Ledger:ForwardTimeLimit must be 1 to 60 s.")
            .Validate(o => o.ForwardBatchMax is >= 1 and <= 8_192, "Lumora:Ledger:ForwardBatchMax must be 1 to 8,192.")
            .Validate(
                o => o.ForwardBytesMax is >= 65_536 and <= 28_000_000,
                "Lumora:Ledger:ForwardBytesMax must be 65,536 to 28,000,000.")
            .Validate(o => o.ForwardsMax is >= 1 and <= 16, "Lumora:Ledger:ForwardsMax must be 1 to 16.")
            .Validate(
                o => o.HoldSweepEvery > TimeSpan.Zero && o.HoldSweepEvery <= TimeSpan.FromDays(1),
                "Lumora:Ledger:HoldSweepEvery must be above 0 and at most 1 day.")
            .ValidateOnStart();
        builder.Services.AddSingleton<LedgerMetrics>();
        builder.Services.AddSingleton<ILedgerAddress, LedgerAddress>();
        builder.Services.AddSingleton<Ledgers>();
        builder.Services.AddSingleton<ILedgers>(services => services.GetRequiredService<Ledgers>());
        builder.Services.AddSingleton<LedgerQueries>().AddSingleton<LedgerStatements>().AddSingleton<LedgerHoldQueries>()
            .AddSingleton<LedgerRollUpQueries>().AddSingleton<LedgerSearch>().AddSingleton<LedgerDryRun>();
        builder.Services.AddSingleton<LedgerVerifier>();
        builder.Services.AddSingleton<LedgerCalls>();
        builder.Services.AddSingleton<DueHolds>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Ledgers>());
        builder.Services.AddHostedService<HoldSweeper>();
        CommitStop.AddTo(builder);
        builder.Services.AddHealthChecks().AddCheck<LedgerWriterHealth>("ledger_writer", tags: ["ready"]);
        return builder.AddLedgerReconciliation();
    }

    /// <summary>Maps what the hosts send each other.</summary>
    public static WebApplication MapLedger(this WebApplication app)
    {
        LedgerForwarding.Map(app);
        return app;
    }
}
