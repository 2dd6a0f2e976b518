using JasperFx;
using JasperFx.CodeGeneration;
using Lumora.Api.Embedded;
using Lumora.Projections.EventStore;
using Wolverine;

namespace Lumora.Api.EventStore;

/// <summary>Marten and Wolverine as this host runs them.</summary>
internal static class EventStoreModule
{
    /// <summary>Adds the event store on the shards of <paramref name="database"/>, and the message bus.</summary>
    public static WebApplicationBuilder AddEventStore(this WebApplicationBuilder builder, DatabaseModule database)
    {
        builder.Services.AddLumoraEventStore(database.Shards);
        builder.Services.CritterStackDefaults(defaults =>
        {
            defaults.Production.GeneratedCodeMode = TypeLoadMode.Static;
            defaults.Production.AssertAllPreGeneratedTypesExist = true;
            // A handler that is new and not written out yet is compiled when it is first used.
            defaults.Development.GeneratedCodeMode = TypeLoadMode.Auto;
        });

        var several = builder.Configuration.GetValue("Lumora:SeveralHosts", defaultValue: false);
        builder.UseWolverine(wolverine =>
        {
            wolverine.ApplicationAssembly = typeof(EventStoreModule).Assembly;
            wolverine.ServiceName = "lumora";
            ConfigureDurability(wolverine.Durability, several);
        });
        return builder;
    }

    // Measured: the defaults leave subscriptions silent for 68 s after a kill −9 (docs/decisions/0003-wolverine-timings.md).
    private static void ConfigureDurability(DurabilitySettings durability, bool several)
    {
        durability.Mode = several ? DurabilityMode.Balanced : DurabilityMode.Solo;
        durability.StaleNodeTimeout = TimeSpan.FromSeconds(4);
        durability.CheckAssignmentPeriod = TimeSpan.FromSeconds(1);
        durability.NodeReassignmentPollingTime = TimeSpan.FromSeconds(1);
        durability.HealthCheckPollingTime = TimeSpan.FromSeconds(1);
    }
}
