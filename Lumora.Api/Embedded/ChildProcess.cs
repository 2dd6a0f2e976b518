using System.Diagnostics;
using System.Text;
using Lumora.Api.Operations;

namespace Lumora.Api.Embedded;

/// <summary>Runs a program to its end and keeps what it printed, for an error message that says what happened.</summary>
internal static class ChildProcess
{
    private const int OutputCharsMax = 8_192;

    /// <summary>Runs <paramref name="program"/>; the answer holds its exit code and the end of its output.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the program and its children were killed.</exception>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IEnumerable<string> arguments, CancellationToken cancellation, string? folder = null,
        Action<string>? onLine = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        using var process = Process.Start(start)
            ?? throw new StartupException($"{program} could not be started.");
        process.StandardInput.Close();
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        lock (output)
            return (process.ExitCode, output.ToString());

        void Keep(string? line)
        {
            if (line is null)
                return;
            onLine?.Invoke(line);
            lock (output)
            {
                output.AppendLine(line);
                if (output.Length > OutputCharsMax)
                    output.Remove(0, output.Length - OutputCharsMax);
            }
        }
    }
}
