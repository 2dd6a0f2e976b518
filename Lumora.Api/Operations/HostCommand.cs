using JasperFx;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Operations;

/// <summary>The host's command line: help, maintenance, and serving until stopped.</summary>
internal static class HostCommand
{
    private static readonly string[] Maintenance =
        ["codegen", "db-apply", "db-assert", "describe", "projections", "resources", "storage"];

    /// <summary>Runs <paramref name="host"/>; what an operator can mend ends it with one line and code 1.</summary>
    public static async Task<int> RunAsync(string[] args, Func<Task<int>> host)
    {
        if (args is ["--help" or "-h" or "-?" or "help", ..])
        {
            Print(Console.Out);
            return 0;
        }

        try
        {
            return await host();
        }
        catch (Exception fault) when (fault is StartupException or OptionsValidationException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"lumora: {fault.Message}");
            return 1;
        }
    }

    /// <summary>
    /// Serves until stopped, or, when the first word is a maintenance command of event store or message bus, runs that. A stop that was
    /// asked for ends with code 0 also when a part of the host had to be cut off: what it had begun is taken up at the next start.
    /// </summary>
    public static async Task<int> ServeAsync(WebApplication app, string[] args)
    {
        if (args.Length > 0 && Maintenance.Contains(args[0], StringComparer.Ordinal))
            return await app.RunJasperFxCommands(args);
        var stopping = app.Lifetime.ApplicationStopping;
        try
        {
            await app.RunAsync();
        }
        catch (Exception fault) when (stopping.IsCancellationRequested && IsCutOff(fault))
        {
            // Whole, for it says which part it was.
            await Console.Error.WriteLineAsync($"lumora: stopped, and a part of the host was cut off: {fault}");
        }

        return 0;
    }

    // Several parts that were cut off come together.
    private static bool IsCutOff(Exception fault) =>
        fault is OperationCanceledException
        || (fault is AggregateException several && several.InnerExceptions.All(IsCutOff));

    private static void Print(TextWriter output) => output.Write(
        $"""
        Lumora host: ledger, task manager, market, transparency log and anchoring in one process.

        Usage: dotnet run --project Lumora.Api [-- options]

        With nothing configured it starts its own PostgreSQL and a local Solana, keeps its state in a folder of
        the user's, and serves http://127.0.0.1:5080. Ctrl-C stops all that it started.

        Options (also as environment variables, ':' written as '__', or in appsettings.json):
          --urls URL                        where to listen             default http://127.0.0.1:5080
          --Lumora:Home FOLDER              its state                   default a folder of the user's (LUMORA_HOME)
          --ConnectionStrings:Lumora TEXT   a PostgreSQL to use         default one of its own
          --Lumora:Regions:NAME TEXT        a region's PostgreSQL       default none: one shard plays both roles
          --Solana:Endpoints URL,…          Solana RPC servers to use   default a local one
          --Lumora:Stewards:0 WALLET        the first stewards
          --Log:Origin NAME                 the log's name: a domain of the operator's

        Maintenance: {string.Join(", ", Maintenance)} (each with --help)

        """);
}
