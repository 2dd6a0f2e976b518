using System.CommandLine;
using Lumora.Bench.Anchoring;
using Lumora.Bench.Ledger;

var root = new RootCommand(
    "bench: measures Lumora beside other ways to do the same work on one PostgreSQL server. Every command has --help.")
{
    LedgerBenchCommand.Create(),
    AnchorBenchCommand.Create(),
};
// Ctrl-C ends the row; stopping the server and removing its folder takes longer than the two seconds of the default.
return await root.Parse(args).InvokeAsync(
    new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
