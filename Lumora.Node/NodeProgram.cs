using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Node.Keys;

namespace Lumora.Node;

/// <summary>The command line of <c>lumora-node</c>.</summary>
internal static class NodeProgram
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(20);

    private static Task<int> Main(string[] args)
    {
        var root = new RootCommand("lumora-node: share bandwidth with the Lumora network. Connects outwards only.")
        {
            Run(), Self(), Key(), Log(),
        };
        return root.Parse(args).InvokeAsync(new InvocationConfiguration
        {
            // Ctrl-C and SIGTERM: the command's token fires; after this the process ends all the same.
            ProcessTerminationTimeout = DrainTimeout + TimeSpan.FromSeconds(5),
        });
    }

    private static Command Run()
    {
        var server = ServerOption();
        var key = KeyOption();
        var home = HomeOption();
        var loopback = new Option<bool>("--allow-loopback") { Description = "Development only: fetch pages from this machine's own loopback address." };
        var plain = new Option<bool>("--allow-plain-http") { Description = "Reach a gateway on another machine without TLS (a private network)." };
        var rate = new Option<long?>("--max-rate") { Description = "Bytes a second to fetch at most; default: no limit." };
        var cap = new Option<long?>("--daily-cap") { Description = "Bytes to fetch at most in one UTC day; default: no limit." };
        var contact = new Option<string?>("--contact") { Description = "URL or address for site operators, sent in the user agent; default: the gateway." };
        var delay = new Option<double>("--host-delay") { Description = "Least seconds between two requests to one host; default 1. A longer crawl delay wins.", DefaultValueFactory = _ => 1 };
        delay.Validators.Add(result =>
        {
            // What is no number is the library's to refuse: it throws when asked for the value here.
            if (result.Tokens is [var token]
                && double.TryParse(token.Value, CultureInfo.InvariantCulture, out var seconds) && seconds is not (>= 0 and <= 3600))
                result.AddError("--host-delay is 0 to 3600 seconds.");
        });
        var command = new Command("run", "Ask for work and do it until stopped (Ctrl-C, SIGTERM).") { server, key, home, loopback, plain, rate, cap, contact, delay };
        command.SetAction((parsed, cancellationToken) => Guard(parsed.InvocationConfiguration, async () =>
        {
            var options = new NodeOptions
            {
                Server = parsed.GetRequiredValue(server),
                Key = NodeKey.Load(KeyPath(parsed, key, home)),
                Home = Home(parsed, home),
                AllowLoopback = parsed.GetValue(loopback),
                AllowPlainHttp = parsed.GetValue(plain),
                BytesPerSecondMax = parsed.GetValue(rate),
                DailyBytesMax = parsed.GetValue(cap),
                Contact = parsed.GetValue(contact),
                HostDelay = TimeSpan.FromSeconds(parsed.GetValue(delay)),
                DrainTimeout = DrainTimeout,
            };
            if (options.Problem() is { } problem)
                throw new InvalidDataException(problem);
            await new NodeAgent(options, output: parsed.InvocationConfiguration.Output).RunAsync(cancellationToken);
        }));
        return command;
    }

    private static Command Self()
    {
        var server = ServerOption();
        var key = KeyOption();
        var home = HomeOption();
        var plain = new Option<bool>("--allow-plain-http") { Description = "Reach a gateway on another machine without TLS (a private network)." };
        var command = new Command("self", "Print what the network knows about this node, and why its last results were refused.") { server, key, home, plain };
        command.SetAction((parsed, cancellationToken) => Guard(parsed.InvocationConfiguration, async () =>
        {
            var options = new NodeOptions
            {
                Server = parsed.GetRequiredValue(server),
                Key = NodeKey.Load(KeyPath(parsed, key, home)),
                Home = Home(parsed, home),
                AllowPlainHttp = parsed.GetValue(plain),
            };
            if (options.Problem() is { } problem)
                throw new InvalidDataException(problem);
            var self = await new NodeAgent(options, output: parsed.InvocationConfiguration.Error).SelfAsync(cancellationToken);
            await parsed.InvocationConfiguration.Output.WriteLineAsync(JsonSerializer.Serialize(self, WireJson.Messages));
        }));
        return command;
    }

    private static Command Key()
    {
        var key = KeyOption();
        var home = HomeOption();
        var create = new Command("new", "Make a key file. An existing one is never overwritten.") { key, home };
        create.SetAction((parsed, _) => Guard(parsed.InvocationConfiguration, () =>
        {
            var made = NodeKey.Generate();
            made.Save(KeyPath(parsed, key, home));
            return parsed.InvocationConfiguration.Output.WriteLineAsync(made.NodeId);
        }));
        var show = new Command("show", "Print the node's id; the secret stays in the file.") { key, home };
        show.SetAction((parsed, _) => Guard(parsed.InvocationConfiguration, () =>
            parsed.InvocationConfiguration.Output.WriteLineAsync(NodeKey.Load(KeyPath(parsed, key, home)).NodeId)));
        var participant = new Argument<string>("participant") { Description = "Your participant id, participant_…" };
        var prove = new Command("prove", "Print the proof with which you register this node as yours.") { participant, key, home };
        prove.SetAction((parsed, _) => Guard(parsed.InvocationConfiguration, () =>
            parsed.InvocationConfiguration.Output.WriteLineAsync(
                NodeKey.Load(KeyPath(parsed, key, home)).ProveOwnership(parsed.GetRequiredValue(participant)))));
        return new Command("key", "The node's key.") { create, show, prove };
    }

    private static Command Log()
    {
        var home = HomeOption();
        var last = new Option<int>("--last") { Description = "Print the last lines only; default 100.", DefaultValueFactory = _ => 100 };
        var command = new Command("log", "Print what the node did: JSON lines, newest last.") { home, last };
        command.SetAction((parsed, cancellationToken) => Guard(parsed.InvocationConfiguration, async () =>
        {
            var path = NodeAgent.LogPath(Home(parsed, home));
            if (!File.Exists(path))
                throw new InvalidDataException($"{path}: there is no log yet.");
            var lines = await File.ReadAllLinesAsync(path, cancellationToken);
            foreach (var line in lines.TakeLast(Math.Max(0, parsed.GetValue(last))))
                await parsed.InvocationConfiguration.Output.WriteLineAsync(line);
        }));
        return command;
    }

    private static Option<Uri> ServerOption() => new("--server")
    {
        Description = "The gateway's address, for example https://lumora.example.",
        Required = true,
        CustomParser = result => Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri)
            ? uri
            : Fail<Uri>(result, "--server: not an absolute address."),
    };

    private static Option<string?> KeyOption() => new("--key") { Description = "The key file; default: node.key in the home folder." };

    private static Option<string?> HomeOption() => new("--home")
    {
        Description = "Folder of state and log; default: $LUMORA_HOME/node, else a folder of the user's.",
    };

    private static string Home(ParseResult parsed, Option<string?> home) =>
        parsed.GetValue(home)
        ?? (Environment.GetEnvironmentVariable("LUMORA_HOME") is { Length: > 0 } shared
            ? Path.Combine(shared, "node")
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "lumora", "node"));

    private static string KeyPath(ParseResult parsed, Option<string?> key, Option<string?> home) =>
        parsed.GetValue(key) ?? Path.Combine(Home(parsed, home), "node.key");

    private static T? Fail<T>(System.CommandLine.Parsing.ArgumentResult result, string message)
    {
        result.AddError(message);
        return default;
    }

    /// <summary>Runs <paramref name="action"/>; what the owner can put right is one line on the error output and exit code 1.</summary>
    private static async Task<int> Guard(InvocationConfiguration configuration, Func<Task> action)
    {
        try
        {
            await action();
            return 0;
        }
        catch (Exception fault) when (fault is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            await configuration.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"lumora-node: {fault.Message}"));
            return 1;
        }
    }
}
