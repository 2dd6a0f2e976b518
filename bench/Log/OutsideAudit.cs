using System.Diagnostics;
using Lumora.Bench.Server;

namespace Lumora.Bench.Log;

/// <summary>The host's log audited from outside: by <c>lumora audit</c>, a process of its own, over HTTP.</summary>
internal static class OutsideAudit
{
    private const double EntriesPerSecondMin = 25_000;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Entries a second of one core, all that the audit does counted; its report goes to <paramref name="output"/>.</summary>
    /// <exception cref="BenchException">The log is not clean.</exception>
    public static async Task<LogRow> MeasureAsync(BenchHost host, long size, TextWriter output, CancellationToken ct)
    {
        using var client = host.CreateClient();
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[
            Path.Combine(AppContext.BaseDirectory, "lumora.dll"), "audit", "--server", client.BaseAddress!.ToString(), "--key",
            host.Logs.Find(host.Shard)!.Key.ToString()])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var (report, faults) = (process.StandardOutput.ReadToEndAsync(ct), process.StandardError.ReadToEndAsync(ct));
        var (clock, processor) = (Stopwatch.StartNew(), TimeSpan.Zero);
        try
        {
            // An ended process has no times to read any more.
            while (!process.HasExited)
            {
                processor = Processor(process) ?? processor;
                await Task.Delay(Look, ct);
            }
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }

        output.WriteLine((await report).TrimEnd());
        if (process.ExitCode != 0)
            throw new BenchException($"The audit ended with {process.ExitCode}: {(await faults).Trim()}");
        output.WriteLine($"(the audit took {clock.Elapsed.TotalSeconds:0.0} s)");
        return new LogRow("audit from outside, of one core", "entries/s")
        {
            Count = size,
            PerSecond = size / processor.TotalSeconds,
            AtLeast = EntriesPerSecondMin,
        };
    }

    private static TimeSpan? Processor(Process process)
    {
        try
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
