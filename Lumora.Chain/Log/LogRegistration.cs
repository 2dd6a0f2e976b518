using Lumora.Chain.Witnessing;
using Marten;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Wolverine.Marten;

namespace Lumora.Chain.Log;

/// <summary>Adds the transparency log to a host.</summary>
public static class LogRegistration
{
    /// <summary>The log's tables, its sequencer as a subscription of the event store with its watch, its witnesses and its publisher.</summary>
    public static IServiceCollection AddTransparencyLog(this IServiceCollection services)
    {
        services.ConfigureMarten(LogStore.Configure);
        services.SubscribeToEventsWithServices<LogSequencer>(ServiceLifetime.Singleton);
        services.AddOptions<LogOptions>().BindConfiguration(LogOptions.Section);
        services.AddSingleton<ShardLogs>();
        services.TryAddSingleton<IAnchoredCheckpoints, NothingAnchored>();
        services.AddSingleton<IValidateOptions<WitnessOptions>, WitnessOptionsRule>();
        services.AddOptions<WitnessOptions>().BindConfiguration(WitnessOptions.Section).ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<WitnessStatus>();
        services.AddSingleton(Cosigner);
        services.AddSingleton<LogPublishing>();
        services.AddHostedService(provider => provider.GetRequiredService<LogPublishing>());
        services.AddHostedService<SequencerWatch>();
        return services;
    }

    private static ICosigner Cosigner(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<WitnessOptions>>().Value;
        return options.ReadPolicy() is { } policy
            ? new Cosigner(
                policy, options, provider.GetRequiredService<WitnessStatus>(), provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<Cosigner>>())
            : new NoWitnesses();
    }

    private sealed class WitnessOptionsRule : IValidateOptions<WitnessOptions>
    {
        public ValidateOptionsResult Validate(string? name, WitnessOptions options) =>
            options.Fault() is { } fault ? ValidateOptionsResult.Fail(fault) : ValidateOptionsResult.Success;
    }
}
