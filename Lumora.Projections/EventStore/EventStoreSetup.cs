using System.Text.Json;
using JasperFx.Events;
using Lumora.Domain.Kernel;
using Lumora.Projections.Anchoring;
using Lumora.Projections.Bandwidth;
using Lumora.Projections.Deposits;
using Lumora.Projections.Governance;
using Lumora.Projections.Ledger;
using Lumora.Projections.Nodes;
using Lumora.Projections.Participants;
using Lumora.Projections.Rewards;
using Lumora.Projections.Tasks;
using Marten;
using Microsoft.Extensions.DependencyInjection;
using Weasel.Core;
using Wolverine.Marten;

namespace Lumora.Projections.EventStore;

/// <summary>The one configuration of Marten: every shard, every slice, every tool uses it.</summary>
public static class EventStoreSetup
{
    /// <summary>
    /// Registers the store, its shards and <see cref="ShardSessions"/>. Subscriptions are added to what comes back.
    /// </summary>
    public static MartenServiceCollectionExtensions.MartenConfigurationExpression AddLumoraEventStore(
        this IServiceCollection services, ShardMap shards)
    {
        services.AddSingleton(shards);
        services.AddSingleton<ShardSessions>();
        return services
            .AddMarten(options => Configure(options, shards))
            .UseLightweightSessions()
            .IntegrateWithWolverine(integration =>
            {
                integration.UseWolverineManagedEventSubscriptionDistribution = true;
                integration.MainDatabaseConnectionString = shards.ConnectionStrings[shards.Of(ShardRole.Global)];
            })
            .ApplyAllDatabaseChangesOnStartup();
    }

    /// <summary>Applies the house configuration to <paramref name="options"/>.</summary>
    public static void Configure(StoreOptions options, ShardMap shards)
    {
        options.MultiTenantedDatabases(databases =>
        {
            foreach (var (shard, connection) in shards.ConnectionStrings)
                databases.AddSingleTenantDatabase(connection, shard);
        });
        // Marten sets the casing of the options it is given: without naming it, events would lose their camelCase.
        options.UseSystemTextJsonForSerialization(
            new JsonSerializerOptions(WireJson.Events), EnumStorage.AsString, Casing.CamelCase);

        var events = options.Events;
        events.StreamIdentity = StreamIdentity.AsString;
        // Timestamps come from here, not from the database: the ledger gives each event its own, which never falls.
        events.AppendMode = EventAppendMode.QuickWithServerTimestamps;
        events.UseMandatoryStreamTypeDeclaration = true;
        events.UseListenNotifyForEventAppends = true;
        events.UseExclusiveLockOnConcurrentAppends = true;
        events.MetadataConfig.EnableAll();
        // "All" leaves out the one that says who did it.
        events.MetadataConfig.UserNameEnabled = true;
        foreach (var (type, name) in EventCatalog.All)
            events.MapEventType(type, name);

        // A skipped event would be missing from the log for ever: stop and say so instead.
        options.Projections.Errors.SkipApplyErrors = false;
        options.Projections.Errors.SkipSerializationErrors = false;
        options.Projections.Errors.SkipUnknownEvents = false;
        // A burnt sequence number stalls subscriptions for this long (log.md).
        options.Projections.StaleSequenceThreshold = TimeSpan.FromMilliseconds(200);

        ConfigureSlices(options);
    }

    // One line per slice: its projections, documents and tables.
    private static void ConfigureSlices(StoreOptions options)
    {
        ParticipantsStore.Configure(options);
        LedgerStore.Configure(options);
        NodesStore.Configure(options);
        TasksStore.Configure(options);
        BandwidthStore.Configure(options);
        RewardsStore.Configure(options);
        AnchoringStore.Configure(options);
        DepositsStore.Configure(options);
        GovernanceStore.Configure(options);
        Datasets.DatasetsStore.Configure(options);
        Purchases.PurchasesStore.Configure(options);
    }
}
