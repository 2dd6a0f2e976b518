using System.CommandLine;
using Lumora.Cli.Demo;

var root = new RootCommand("lumora: see, verify and operate a Lumora network. Every command has --help.")
{
    DemoCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
