using System.CommandLine;
using Lumora.Cli.Audit;
using Lumora.Cli.Demo;
using Lumora.Cli.Doctor;
using Lumora.Cli.Verify;

var root = new RootCommand("lumora: see, verify and operate a Lumora network. Every command has --help.")
{
    DemoCommand.Create(),
    VerifyCommand.Create(),
    AuditCommand.Create(),
    DoctorCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
