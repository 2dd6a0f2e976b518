using System.CommandLine;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Cli.Witnesses;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;

namespace Lumora.Integration.Tests.Log;

/// <summary><c>lumora witness</c> for the logs of one home: stopped and started again at the same address.</summary>
internal sealed class RunningWitness : IAsyncDisposable
{
    private const string Origin = "witnessed.example";

    private readonly string _state = Path.Combine(Path.GetTempPath(), $"lumora-witness-{Guid.NewGuid():N}");
    private readonly StringWriter _errors = new();
    private readonly IReadOnlyList<VerifierKey> _logs;
    private readonly string[] _options;
    private string _listen = "http://127.0.0.1:0";
    private CancellationTokenSource? _stop;
    private Task<int>? _running;

    public RunningWitness(string home, string[]? shards = null, params string[] options)
        // The logs' keys are there before their host starts: the witness must know them, and the host the witness.
        : this(
            [.. (shards ?? [ShardMap.DefaultShard]).Select(shard =>
            {
                using var signer = LogKeys.Open(new LumoraHome(home), new LogOptions { Origin = Origin }, shard);
                return signer.Key;
            })],
            options)
    {
    }

    public RunningWitness(IReadOnlyList<VerifierKey> logs, params string[] options) => (_logs, _options) = (logs, options);

    public VerifierKey LogKey => _logs[0];

    /// <summary>What it said on its error stream.</summary>
    public string Errors => _errors.ToString();

    public string State => _state;

    public string Url => _listen;

    public string PolicyFile => Path.Combine(_state, "policy");

    /// <summary>What a host needs to be told.</summary>
    public IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Log:Origin"] = Origin,
        ["Log:Witness:Policy"] = PolicyFile,
        ["Log:Witness:RetryMsMax"] = "500",
    };

    /// <summary>Starts it; the policy file makes it the whole quorum.</summary>
    public async Task StartAsync()
    {
        _stop = new CancellationTokenSource();
        var output = new Lines();
        _running = WitnessCommand.Create().Parse(
                [.. _logs.SelectMany(key => (string[])["--log", key.ToString()]), "--state", _state, "--listen", _listen, .. _options])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = _errors }, _stop.Token);
        if (await Task.WhenAny(output.Listening, _running) == _running)
            throw new InvalidOperationException($"The witness ended with code {await _running}: {_errors}");
        _listen = await output.Listening;
        await File.WriteAllTextAsync(PolicyFile, $"{string.Concat(_logs.Select(key => $"log {key}\n"))}{output.PolicyLine}\nquorum w1\n");
    }

    /// <summary>Ctrl-C.</summary>
    public async Task StopAsync()
    {
        if (_running is null)
            return;
        await _stop!.CancelAsync();
        Assert.Equal(0, await _running);
        _stop.Dispose();
        _running = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _errors.DisposeAsync();
        Directory.Delete(_state, recursive: true);
    }

    /// <summary>Hears the lines that it prints.</summary>
    private sealed class Lines : StringWriter
    {
        private readonly TaskCompletionSource<string> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Listening => _listening.Task;

        public string PolicyLine { get; private set; } = "";

        public override void WriteLine(string? value)
        {
            const string policy = "policy   ";
            const string listening = "Listening at ";
            if (value!.StartsWith(policy, StringComparison.Ordinal))
                PolicyLine = value[policy.Length..];
            if (value.StartsWith(listening, StringComparison.Ordinal))
                _listening.TrySetResult(value[listening.Length..]);
        }
    }
}
