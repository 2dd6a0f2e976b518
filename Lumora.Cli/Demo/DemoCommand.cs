using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Lumora.Cli.Client;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.Configuration;
using Spectre.Console;

namespace Lumora.Cli.Demo;

/// <summary><c>lumora demo</c>: the whole journey of some web pages, told step by step.</summary>
public static class DemoCommand
{
    private const int PagesMaxDefault = 60;
    private const int PagesLimit = 2_000;
    private const int PatienceLimit = 86_400;
    private const int WidthOfFiles = 300;

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var site = new Option<string>("--site")
        {
            Description = "A folder of HTML pages, which the demo serves on loopback, or the address of a site.",
            Required = true,
        };
        var server = new Option<Uri>("--server")
        {
            Description = "The running host.",
            DefaultValueFactory = _ => new Uri("http://127.0.0.1:5080"),
            // The library converts no addresses.
            CustomParser = result =>
            {
                if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
                    return uri;
                result.AddError($"--server \"{result.Tokens[0].Value}\" is no http or https address.");
                return null;
            },
        };
        var home = new Option<string?>("--home")
        {
            Description = "The host's state folder, where the development steward's key lies; default as the host's.",
        };
        var pages = new Option<int>("--pages")
        {
            Description = $"How many pages to gather, 1 to {PagesLimit}.",
            DefaultValueFactory = _ => PagesMaxDefault,
        };
        pages.Validators.Add(result =>
        {
            // What is no number is the library's to refuse: it throws when asked for the value here.
            if (int.TryParse(Text(result), CultureInfo.InvariantCulture, out var count) && count is < 1 or > PagesLimit)
                result.AddError($"--pages is 1 to {PagesLimit}.");
        });
        var patience = new Option<int>("--patience")
        {
            Description = "Seconds to wait for a host that does not answer, before giving up.",
            DefaultValueFactory = _ => 120,
        };
        patience.Validators.Add(result =>
        {
            if (int.TryParse(Text(result), CultureInfo.InvariantCulture, out var seconds) && seconds is < 0 or > PatienceLimit)
                result.AddError($"--patience is 0 to {PatienceLimit}.");
        });

        var command = new Command(
            "demo",
            "Takes the pages of a site through contribution, task, proof, dataset, purchase, ledger, log and chain.")
        {
            site, server, home, pages, patience,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = new DemoOptions(
                parsed.GetRequiredValue(site),
                parsed.GetRequiredValue(server),
                HomeOf(parsed.GetValue(home)),
                parsed.GetValue(pages),
                TimeSpan.FromSeconds(parsed.GetValue(patience)));
            if (Console.IsOutputRedirected)
                AnsiConsole.Profile.Width = WidthOfFiles;
            try
            {
                await new DemoJourney(options, AnsiConsole.Console).RunAsync(cancellation);
                return 0;
            }
            catch (Exception fault) when (
                fault is DemoFailedException or LumoraRefusedException or HttpRequestException or UnauthorizedAccessException)
            {
                AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[red]The demo stopped:[/] {fault.Message}");
                return 1;
            }
        });
        return command;
    }

    private static string? Text(OptionResult option) => option.Tokens is [var token] ? token.Value : null;

    private static LumoraHome HomeOf(string? given) =>
        given is null ? LumoraHome.From(new ConfigurationBuilder().Build()) : new LumoraHome(given);
}

/// <summary>What the demo is asked to do.</summary>
/// <param name="Site">Folder or address.</param>
/// <param name="Server">The host.</param>
/// <param name="Home">The host's state folder; the demo keeps its wallets and nodes below it.</param>
/// <param name="PagesMax">Pages to gather.</param>
/// <param name="Patience">How long a silent host is waited for.</param>
internal sealed record DemoOptions(string Site, Uri Server, LumoraHome Home, int PagesMax, TimeSpan Patience);
