using Lumora.Chain.Deposits;

namespace Lumora.Api.Deposits;

/// <summary>Deposits of LMR from Solana. Needs the ledger and the connection to Solana.</summary>
internal static class DepositsModule
{
    /// <summary>Adds the watcher.</summary>
    public static WebApplicationBuilder AddDeposits(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<DepositWatcher>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<DepositWatcher>());
        return builder;
    }
}
