using Lumora.Api.Operations;
using Lumora.Chain.Deposits;

namespace Lumora.Api.Deposits;

/// <summary>Deposits of LMR from Solana, and the faucet of development. Needs the ledger and the connection to Solana.</summary>
internal static class DepositsModule
{
    private const string FaucetKey = "Lumora:Faucet";

    /// <summary>Adds the watcher and the faucet (<c>Lumora:Faucet</c>; true in development, impossible elsewhere).</summary>
    public static WebApplicationBuilder AddDeposits(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<DepositWatcher>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<DepositWatcher>());
        builder.Services.AddSingleton(new FaucetSetting(IsFaucetOn(builder)));
        builder.Services.AddSingleton<Faucet>();
        return builder;
    }

    private static bool IsFaucetOn(WebApplicationBuilder builder)
    {
        var isDevelopment = builder.Environment.IsDevelopment();
        var text = builder.Configuration[FaucetKey];
        if (string.IsNullOrEmpty(text))
            return isDevelopment;
        if (!bool.TryParse(text, out var isOn))
            throw new StartupException($"{FaucetKey} must be true or false.");
        return !isOn || isDevelopment
            ? isOn
            : throw new StartupException($"{FaucetKey} gives money away: it can be true in the Development environment only.");
    }
}
