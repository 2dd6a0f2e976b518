using Lumora.Api.Bandwidth;

namespace Lumora.Api.Rewards;

/// <summary>Epochs: closing, computing, paying.</summary>
internal static class RewardsModule
{
    /// <summary>Adds the options (<c>Lumora:Rewards</c>), the closer and the payer.</summary>
    public static WebApplicationBuilder AddRewards(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<RewardsOptions>().BindConfiguration(RewardsOptions.Section).ValidateDataAnnotations()
            .ValidateOnStart();
        services.AddSingleton<EpochGate>();
        services.AddSingleton<EpochCloser>();
        services.AddSingleton<IEpochCloser>(provider => provider.GetRequiredService<EpochCloser>());
        services.AddSingleton<EpochPayer>();
        services.AddHostedService(provider => provider.GetRequiredService<EpochPayer>());
        return builder;
    }
}
