using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Resilience.Tests.Infrastructure;

/// <summary>The host as a process of its own, with a state folder of its own, to be killed in any way.</summary>
public sealed class HostProcess : IAsyncDisposable
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(150);

    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private HostProcess(Process process, Uri address)
    {
        _process = process;
        Address = address;
        Client = new HttpClient { BaseAddress = address };
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public int Id => _process.Id;

    /// <summary>All that it printed.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>An address that nobody listens on.</summary>
    public static Uri FreeAddress() => new($"http://127.0.0.1:{FreePort().ToString(CultureInfo.InvariantCulture)}");

    /// <summary>Starts the host on <paramref name="home"/> without waiting for it.</summary>
    public static HostProcess Launch(string home, params string[] arguments) =>
        Launch(FreeAddress(), home, arguments);

    /// <summary>Starts the host at <paramref name="address"/> without waiting for it.</summary>
    public static HostProcess Launch(Uri address, string home, params string[] arguments) =>
        Launch(address, home, door: false, arguments);

    /// <summary>Starts the host with a <see cref="LedgerDoor"/> for the callers of a test, and waits until it is ready.</summary>
    public static async Task<HostProcess> StartWithDoorAsync(string home, params string[] arguments)
    {
        var host = Launch(FreeAddress(), home, door: true, arguments);
        await host.ReadyAsync();
        return host;
    }

    private static HostProcess Launch(Uri address, string home, bool door, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        if (door)
            LedgerDoor.AddTo(start);
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Lumora.Api.dll"));
        foreach (var argument in (string[])["--urls", address.OriginalString, .. arguments])
            start.ArgumentList.Add(argument);
        start.Environment["LUMORA_HOME"] = home;
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        if (!arguments.Contains("--Solana:Embedded", StringComparer.Ordinal))
            start.Environment["Solana__Embedded"] = "false";
        return new HostProcess(Process.Start(start)!, address);
    }

    /// <summary>Starts the host and waits until it is ready.</summary>
    public static async Task<HostProcess> StartAsync(string home, params string[] arguments)
    {
        var host = Launch(home, arguments);
        await host.ReadyAsync();
        return host;
    }

    /// <summary>Waits until <c>/readyz</c> answers 200.</summary>
    public async Task ReadyAsync()
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < ReadyWithin)
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"The host ended with code {_process.ExitCode}:\n{Output}");
            try
            {
                using var answer = await Client.GetAsync("/readyz");
                if (answer.StatusCode == HttpStatusCode.OK)
                    return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(100);
        }

        throw new TimeoutException($"The host was not ready within {ReadyWithin}:\n{Output}");
    }

    /// <summary>Waits until it has printed <paramref name="text"/>.</summary>
    public async Task PrintedAsync(string text)
    {
        var watch = Stopwatch.StartNew();
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            if (_process.HasExited || watch.Elapsed > Patience.Time)
                throw new TimeoutException($"The host did not print \"{text}\":\n{Output}");
            await Task.Delay(10);
        }
    }

    /// <summary>The exit code once it has ended by itself.</summary>
    public async Task<int> ExitedAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience.Time);
        return _process.ExitCode;
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
        using var kill = Process.Start("kill", ["-TERM", Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync().WaitAsync(Patience.Time);
        return _process.ExitCode;
    }

    /// <summary>SIGTERM; it stops with code 0, or the test fails with all that the host said.</summary>
    public async Task StopAsync()
    {
        var code = await TerminateAsync();
        Assert.True(code == 0, $"The host ended with code {code}:\n{Output}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await TerminateAsync();
        Client.Dispose();
        _process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
    }
}
