using System.Diagnostics;

namespace Lumora.Resilience.Tests.Infrastructure;

/// <summary>A state folder for one test, and which processes live on it.</summary>
public sealed class HomeFolder : IAsyncLifetime
{
    public string Path { get; } = System.IO.Path.Combine(
        System.IO.Path.GetTempPath(), $"lumora-resilience-{Guid.NewGuid():N}");

    /// <summary>Command lines of the processes that name this folder (the host, its database, its chain).</summary>
    public IReadOnlyList<string> Processes()
    {
        var found = new List<string>();
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                if (CommandLine(process.Id) is { } line && line.Contains(Path, StringComparison.Ordinal))
                    found.Add($"{process.Id}: {line}");
            }
        }

        return found;
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        // A host that was killed leaves its database running, on purpose: the next one attaches. Here none comes.
        if (Processes().Count > 0)
        {
            await using var last = await HostProcess.StartAsync(Path);
            await last.TerminateAsync();
        }

        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }

    private static string? CommandLine(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            return null; // It ended in between.
        }
    }
}
