using System.Diagnostics;
using System.Text;

namespace Lumora.Resilience.Tests.Infrastructure;

/// <summary>The <c>lumora</c> command as a process.</summary>
internal static class CommandLine
{
    private static readonly TimeSpan EndsWithin = TimeSpan.FromMinutes(20);

    /// <summary>Runs <c>lumora</c> to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string home, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "lumora.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["LUMORA_HOME"] = home;

        using var process = Process.Start(start)!;
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var timeout = new CancellationTokenSource(EndsWithin);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException cancelled)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"lumora {arguments[0]} did not end within {EndsWithin}:\n{output}", cancelled);
        }

        lock (output)
            return (process.ExitCode, output.ToString());

        void Keep(string? line)
        {
            lock (output)
                output.AppendLine(line);
        }
    }
}
