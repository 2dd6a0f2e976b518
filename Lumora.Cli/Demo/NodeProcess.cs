using System.Diagnostics;

namespace Lumora.Cli.Demo;

/// <summary>A provider's node as a process of its own, with a key, a home and a log of its own.</summary>
internal sealed class NodeProcess : IDisposable
{
    private readonly Process _process;

    private NodeProcess(Process process) => _process = process;

    /// <summary>Makes the node's key, once, and gives the node's id.</summary>
    public static async Task<string> IdAsync(string home, CancellationToken cancellation)
    {
        if (!File.Exists(Path.Combine(home, "node.key")))
            await RunAsync(["key", "new", "--home", home], cancellation);
        return await RunAsync(["key", "show", "--home", home], cancellation);
    }

    /// <summary>The proof by which <paramref name="participantId"/> registers the node as its own.</summary>
    public static Task<string> ProofAsync(string home, string participantId, CancellationToken cancellation) =>
        RunAsync(["key", "prove", participantId, "--home", home], cancellation);

    /// <summary>Starts the agent against <paramref name="server"/>.</summary>
    public static NodeProcess Start(Uri server, string home)
    {
        var start = Command(["run", "--server", server.AbsoluteUri, "--home", home, "--allow-loopback", "--host-delay", "0"]);
        var process = Process.Start(start) ?? throw new DemoFailedException("lumora-node could not be started.");
        // What it has to say stands in its own log; the pipes are only kept empty.
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new NodeProcess(process);
    }

    /// <summary>Stops the agent: SIGTERM, then, when it does not listen, SIGKILL.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            using var terminate = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            if (!_process.WaitForExit(TimeSpan.FromSeconds(30)))
                _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private static async Task<string> RunAsync(string[] arguments, CancellationToken cancellation)
    {
        using var process = Process.Start(Command(arguments))
            ?? throw new DemoFailedException("lumora-node could not be started.");
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        if (process.ExitCode != 0)
            throw new DemoFailedException($"lumora-node {arguments[0]} {arguments[1]}: {(await error).Trim()}");
        return (await output).Trim();
    }

    private static ProcessStartInfo Command(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "lumora-node.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return start;
    }
}
