using System.CommandLine;
using Lumora.Bench.Ledger;

var root = new RootCommand(
    "bench: measures Lumora beside other ways to do the same work on one PostgreSQL server. Every command has --help.")
{
    LedgerBenchCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
