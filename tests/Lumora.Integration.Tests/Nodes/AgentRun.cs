using Lumora.Integration.Tests.Infrastructure;
using Lumora.Node;
using Lumora.Node.Keys;

namespace Lumora.Integration.Tests.Nodes;

/// <summary>A node's home that several runs of an agent share, as restarts do.</summary>
internal sealed class AgentHome : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("lumora-node-").FullName;

    internal NodeKey Key { get; } = NodeKey.Generate();

    internal string Path => _path;

    internal string[] Log => File.Exists(NodeAgent.LogPath(_path)) ? File.ReadAllLines(NodeAgent.LogPath(_path)) : [];

    internal AgentRun Start(TestGateway gateway, Func<NodeOptions, NodeOptions>? change = null, TextWriter? output = null)
    {
        var options = new NodeOptions
        {
            Server = gateway.Address,
            Key = Key,
            Home = _path,
            AllowLoopback = true,
            HostDelay = TimeSpan.Zero,
            WaitSeconds = 0,
            BackoffMin = TimeSpan.FromMilliseconds(10),
            BackoffMax = TimeSpan.FromMilliseconds(50),
            DrainTimeout = TimeSpan.FromSeconds(20),
        };
        return new AgentRun(new NodeAgent(change?.Invoke(options) ?? options, output: output));
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}

/// <summary>One run of an agent in this process; ends when disposed.</summary>
internal sealed class AgentRun : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;

    internal AgentRun(NodeAgent agent) => _run = Task.Run(() => agent.RunAsync(_stop.Token));

    internal async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _run.WaitAsync(Patience.Time);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }
}

/// <summary>Says when the agent's log had a line with a given text.</summary>
internal sealed class SignalWriter(string text) : StringWriter(System.Globalization.CultureInfo.InvariantCulture)
{
    private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task Seen => _seen.Task;

    public override void WriteLine(string? value)
    {
        if (value?.Contains(text, StringComparison.Ordinal) == true)
            _seen.TrySetResult();
    }
}
