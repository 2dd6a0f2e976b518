using Lumora.Api.Bandwidth;
using Lumora.Api.Identity;
using Lumora.Api.Nodes;
using Lumora.Api.Rewards;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Tasks;
using Microsoft.Extensions.DependencyInjection.Extensions;

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
        services.AddOptions<RewardsOptions>().BindConfiguration(RewardsOptions.Section).ValidateDataAnnotations()
            .ValidateOnStart();
        services.TryAddSingleton<ICurve25519, Curve25519>();
        services.AddSingleton<WorkSignals>();
        services.AddSingleton<INodeDirectory, NodeDirectory>();
        services.AddSingleton<ISelectorSyntax, CssSyntax>();
        services.AddSingleton<CollectionKeys>();
        services.AddSingleton<CollectionProposals>();
        services.AddSingleton<GatewayKey>();
        services.AddSingleton<ResultFiles>();
        services.AddSingleton<SitemapReader>();
        services.AddSingleton<EpochGate>();
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
