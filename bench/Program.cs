using System.CommandLine;
using Lumora.Bench.Anchoring;
using Lumora.Bench.Audit;
using Lumora.Bench.Ledger;
using Lumora.Bench.Log;

var root = new RootCommand(
    "bench: measures Lumora, the ledger beside other ways to do the same work on one PostgreSQL server. Every command has --help.")
{
    LedgerBenchCommand.Create(),
    LogBenchCommand.Create(),
    AuditBenchCommand.Create(),
    AnchorBenchCommand.Create(),
};
// Ctrl-C ends the row; stopping the server and removing its folder takes longer than the two seconds of the default.
return await root.Parse(args).InvokeAsync(
    new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
