using System.Diagnostics;
using System.Globalization;
using System.Text;
using Lumora.Chain.Notes;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Resilience.Tests.Infrastructure;

/// <summary><c>lumora witness</c> as a process of its own, to be killed in any way.</summary>
internal sealed class WitnessProcess : IAsyncDisposable
{
    private const string KeyLine = "key      ";

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WitnessProcess(Process process, Uri address)
    {
        (_process, Address) = (process, address);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => _listening.TrySetException(new InvalidOperationException("The witness ended."));
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Address { get; }

    /// <summary>The key that it printed.</summary>
    public string Key { get; private set; } = "";

    public static async Task<WitnessProcess> StartAsync(Uri address, string state, VerifierKey log)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])
            [Path.Combine(AppContext.BaseDirectory, "lumora.dll"), "witness", "--log", log.ToString(), "--state", state, "--listen", address.OriginalString])
            start.ArgumentList.Add(argument);
        var witness = new WitnessProcess(Process.Start(start)!, address);
        try
        {
            await witness._listening.Task.WaitAsync(Patience.Time);
            return witness;
        }
        catch (Exception fault)
        {
            await witness.DisposeAsync();
            throw new InvalidOperationException($"The witness does not listen:\n{witness._output}", fault);
        }
    }

    /// <summary>kill −9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, and the exit code once it has stopped.</summary>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync().WaitAsync(Patience.Time);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
        if (line.StartsWith(KeyLine, StringComparison.Ordinal))
            Key = line[KeyLine.Length..];
        if (line.StartsWith("Listening at ", StringComparison.Ordinal))
            _listening.TrySetResult();
    }
}
