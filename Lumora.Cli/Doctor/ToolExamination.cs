using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Lumora.Cli.Doctor;

/// <summary>Looks for the programs that parts of Lumora use.</summary>
internal static class ToolExamination
{
    private const string Area = "tools";
    private const int NodeMajorMin = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Node.js and npm for the local Solana and the embedded database, age for reading what was bought.</summary>
    public static async Task<IReadOnlyList<Diagnosis>> ExamineAsync(CancellationToken cancellationToken)
    {
        var node = await VersionAsync("node", cancellationToken);
        var npm = await VersionAsync("npm", cancellationToken);
        var age = await VersionAsync("age", cancellationToken);
        return
        [
            node is null
                ? new Diagnosis(Area, Health.Warn, "node is not on the path", "install Node.js 20 or newer: without it there is no local Solana, and anchors wait")
                : Major(node) >= NodeMajorMin
                    ? new Diagnosis(Area, Health.Ok, $"node {node}")
                    : new Diagnosis(Area, Health.Warn, $"node {node} is too old", "install Node.js 20 or newer"),
            npm is null
                ? new Diagnosis(Area, Health.Warn, "npm is not on the path", "install npm: it brings the local Solana and the embedded database")
                : new Diagnosis(Area, Health.Ok, $"npm {npm}"),
            age is null
                ? new Diagnosis(Area, Health.Warn, "age is not on the path", "install age (age-encryption.org) to decrypt datasets that you buy")
                : new Diagnosis(Area, Health.Ok, $"age {age}"),
        ];
    }

    private static int Major(string version) =>
        int.TryParse(version.TrimStart('v').Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : 0;

    private static async Task<string?> VersionAsync(string program, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, "--version")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode == 0 ? output.Trim().Split('\n')[0] : null;
        }
        catch (Exception exception) when (exception is Win32Exception
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }
}
