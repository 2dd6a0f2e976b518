using Lumora.Api.Identity;
using Lumora.Api.Nodes;
using Lumora.Domain.Tasks;

namespace Lumora.Api.Tasks;

/// <summary>Nodes, collections, tasks, leases and the curator.</summary>
internal static class TasksModule
{
    /// <summary>Adds the services and workers.</summary>
    public static WebApplicationBuilder AddTasks(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<TasksOptions>().BindConfiguration(TasksOptions.Section).ValidateDataAnnotations()
            .ValidateOnStart();
        services.AddSingleton<WorkSignals>();
        services.AddSingleton<INodeDirectory, NodeDirectory>();
        services.AddSingleton<ISelectorSyntax, CssSyntax>();
        services.AddSingleton<CollectionKeys>();
        services.AddSingleton<ICollectionProposals, CollectionProposals>();
        services.AddSingleton<GatewayKey>();
        services.AddSingleton<ResultFiles>();
        services.AddSingleton<SitemapReader>();
        services.AddSingleton<LeaseClaims>();
        services.AddSingleton<LeaseEnds>();
        services.AddSingleton<IAcceptedResults, AcceptedResults>();
        services.AddSingleton<LeaseDispatcher>();
        services.AddHostedService(provider => provider.GetRequiredService<LeaseDispatcher>());
        services.AddHostedService<LeaseSweeper>();
        services.AddHostedService<CollectionWorker>();
        services.AddHostedService<Curator>();
        return builder;
    }

    /// <summary>Maps the node protocol.</summary>
    public static WebApplication MapTasks(this WebApplication app)
    {
        NodeProtocolEndpoints.Map(app);
        return app;
    }
}
