using Lumora.Api.Anchoring;
using Lumora.Api.Datasets;
using Lumora.Api.Deposits;
using Lumora.Api.Embedded;
using Lumora.Api.EventStore;
using Lumora.Api.Governance;
using Lumora.Api.GraphQL;
using Lumora.Api.Identity;
using Lumora.Api.Ledger;
using Lumora.Api.Log;
using Lumora.Api.Operations;
using Lumora.Api.Purchases;
using Lumora.Api.Rewards;
using Lumora.Api.Solana;
using Lumora.Api.Tasks;

return await HostCommand.RunAsync(args, async () =>
{
    var builder = WebApplication.CreateBuilder(args);

    // The database is there before anything is built and goes after everything else is gone.
    await using var database = await DatabaseModule.StartAsync(builder);

    builder
        .AddOperations()
        .AddEventStore(database)
        .AddIdentity()
        .AddLog()
        .AddSolana()
        .AddLedger()
        .AddGovernance()
        .AddTasks()
        .AddDatasets()
        .AddPurchases()
        .AddRewards()
        .AddAnchoring()
        .AddDeposits()
        .AddGraphQL();

    await using var app = builder.Build();

    app
        .MapOperations()
        .MapIdentity()
        .MapLog()
        .MapLedger()
        .MapStatements()
        .MapTasks()
        .MapDatasets()
        .MapPurchases()
        .MapGraphQL();

    return await HostCommand.ServeAsync(app, args);
});

/// <summary>The host; public so that tests start it as users do.</summary>
public sealed partial class Program;
