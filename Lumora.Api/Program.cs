using JasperFx;
using Lumora.Api.Anchoring;
using Lumora.Api.Datasets;
using Lumora.Api.Deposits;
using Lumora.Api.Embedded;
using Lumora.Api.EventStore;
using Lumora.Api.GraphQL;
using Lumora.Api.Identity;
using Lumora.Api.Ledger;
using Lumora.Api.Log;
using Lumora.Api.Operations;
using Lumora.Api.Purchases;
using Lumora.Api.Rewards;
using Lumora.Api.Solana;
using Lumora.Api.Tasks;
using Microsoft.Extensions.Options;

if (Usage.WantsHelp(args))
{
    Usage.Print(Console.Out);
    return 0;
}

try
{
    return await RunAsync(args);
}
catch (Exception fault) when (fault is StartupException or OptionsValidationException or OperationCanceledException)
{
    await Console.Error.WriteLineAsync($"lumora: {fault.Message}");
    return 1;
}

static async Task<int> RunAsync(string[] args)
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
        .MapTasks()
        .MapDatasets()
        .MapPurchases()
        .MapGraphQL();

    if (Usage.IsMaintenance(args))
        return await app.RunJasperFxCommands(args);

    await app.RunAsync();
    return 0;
}

/// <summary>The host; public so that tests start it as users do.</summary>
public sealed partial class Program;
