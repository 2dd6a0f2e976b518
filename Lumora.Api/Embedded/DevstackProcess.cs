using System.Diagnostics;
using System.Text.Json;
using Lumora.Chain.Solana;

namespace Lumora.Api.Embedded;

/// <summary>
/// A running devstack. It ends when its standard input closes, which a death of this process does too, even by
/// kill −9; Ctrl-C at the terminal does not reach it, so that workers can finish first.
/// </summary>
internal sealed class DevstackProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    private readonly Process _process;

    private DevstackProcess(Process process, int port) => (_process, Port) = (process, port);

    /// <summary>Where it serves JSON-RPC and WebSocket.</summary>
    public int Port { get; }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts the devstack installed in <paramref name="package"/> on <paramref name="state"/>.</summary>
    /// <exception cref="InvalidOperationException">It ended before it served; carries what it said.</exception>
    public static async Task<DevstackProcess> StartAsync(
        string package, string state, SolanaOptions options, Action<string> onLine, CancellationToken ct)
    {
        var start = new ProcessStartInfo("node")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = package,
        };
        foreach (var argument in Arguments(package, state, options))
            start.ArgumentList.Add(argument);
        Process process;
        try
        {
            process = Process.Start(start) ?? throw new InvalidOperationException("node could not be started.");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new InvalidOperationException("node was not found. Install Node.js 20.18 or later.", missing);
        }

        var said = "";
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
                return;
            said = line.Data;
            onLine(line.Data);
        };
        process.BeginErrorReadLine();
        try
        {
            var ready = await process.StandardOutput.ReadLineAsync(ct).AsTask().WaitAsync(StartLimit, ct)
                ?? throw new InvalidOperationException($"devstack ended before it served: {said}");
            return new DevstackProcess(process, JsonDocument.Parse(ready).RootElement.GetProperty("port").GetInt32());
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
            throw;
        }
    }

    /// <summary>Completes when the process has ended.</summary>
    public Task WaitForExitAsync(CancellationToken ct) => _process.WaitForExitAsync(ct);

    /// <summary>Asks it to end and waits; kills it when it does not.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync().WaitAsync(StopLimit);
        }
        catch (Exception fault) when (fault is TimeoutException or IOException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private static IEnumerable<string> Arguments(string package, string state, SolanaOptions options) =>
    [
        Path.Combine(package, "src", "main.js"), "--state", state, "--port", "0", "--parent-pipe",
        "--slot-ms", Invariant(options.SlotMs), "--finality-slots", Invariant(options.FinalitySlots),
    ];

    private static string Invariant(int value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
