using Marten;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Wolverine.Marten;

namespace Lumora.Chain.Log;

/// <summary>Adds the transparency log to a host.</summary>
public static class LogRegistration
{
    /// <summary>The log's tables, its sequencer as a subscription of the event store, and its publisher.</summary>
    public static IServiceCollection AddTransparencyLog(this IServiceCollection services)
    {
        services.ConfigureMarten(LogStore.Configure);
        services.SubscribeToEventsWithServices<LogSequencer>(ServiceLifetime.Singleton);
        services.AddOptions<LogOptions>().BindConfiguration(LogOptions.Section);
        services.AddSingleton<ShardLogs>();
        services.TryAddSingleton<IAnchoredCheckpoints, NothingAnchored>();
        services.AddSingleton<LogPublishing>();
        services.AddHostedService(provider => provider.GetRequiredService<LogPublishing>());
        return services;
    }
}
