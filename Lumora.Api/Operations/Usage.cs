namespace Lumora.Api.Operations;

/// <summary>The host's command line.</summary>
internal static class Usage
{
    private static readonly string[] Maintenance =
        ["codegen", "db-apply", "db-assert", "describe", "projections", "resources", "storage"];

    /// <summary>True for <c>--help</c> and its kin.</summary>
    public static bool WantsHelp(string[] args) => args is ["--help" or "-h" or "-?" or "help", ..];

    /// <summary>True when the first word is a maintenance command of the event store or the message bus.</summary>
    public static bool IsMaintenance(string[] args) =>
        args.Length > 0 && Maintenance.Contains(args[0], StringComparer.Ordinal);

    /// <summary>Prints how to run the host.</summary>
    public static void Print(TextWriter output) => output.Write(
        $"""
        Lumora host: ledger, task manager, market, transparency log and anchoring in one process.

        Usage: dotnet run --project Lumora.Api [-- options]

        With nothing configured it starts its own PostgreSQL and a local Solana, keeps its state in a folder of
        the user's, and serves http://127.0.0.1:5080. Ctrl-C stops all that it started.

        Options (also as environment variables, ':' written as '__', or in appsettings.json):
          --urls URL                        where to listen             default http://127.0.0.1:5080
          --Lumora:Home FOLDER              state of this installation  default a folder of the user's (LUMORA_HOME)
          --ConnectionStrings:Lumora TEXT   a PostgreSQL to use         default one of its own
          --Solana:Endpoints URL,…         a Solana RPC server to use  default a local one
          --Lumora:Stewards:0 WALLET        the first stewards
          --Log:Origin NAME                 the log's name: a domain of the operator's

        Maintenance: {string.Join(", ", Maintenance)} (each with --help)

        """);
}
