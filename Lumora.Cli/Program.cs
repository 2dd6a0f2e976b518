using System.CommandLine;
using Lumora.Cli.Audit;
using Lumora.Cli.Demo;
using Lumora.Cli.Doctor;
using Lumora.Cli.Ledger;
using Lumora.Cli.Monitor;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;
using Lumora.Cli.Verify;
using Lumora.Cli.Witnesses;

var root = new RootCommand("lumora: see, verify and operate a Lumora network. Every command has --help.")
{
    DemoCommand.Create(),
    VerifyCommand.Create(),
    AuditCommand.Create(),
    WitnessCommand.Create(),
    MonitorCommand.Create(),
    TrustCommand.Create(),
    DoctorCommand.Create(),
    VerifyLedgerCommand.Create(),
    RebuildLedgerCommand.Create(),
};
var parsed = root.Parse(args);
var code = await parsed.InvokeAsync();
// A misspelt option is no finding: a script must not take it for one.
return parsed.Errors.Count > 0 ? ExitCodes.Unable : code;

// ASP.NET would make it public, beside the host's.
internal sealed partial class Program;
