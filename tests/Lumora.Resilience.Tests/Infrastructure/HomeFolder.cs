using System.Diagnostics;
using System.Globalization;
using Lumora.Integration.Tests.Infrastructure;

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

    /// <summary>kill −9 of the whole PostgreSQL: nobody is left to clean up, or to write another byte.</summary>
    public async Task KillDatabaseAsync()
    {
        // A process that it has just started still has its name.
        var servers = Processes().Where(line => line.Contains(" -D ", StringComparison.Ordinal))
            .Select(line => int.Parse(line.Split(':')[0], CultureInfo.InvariantCulture)).ToList();
        var running = Running().ToList();
        var postmaster = servers.Single(id => !running.Exists(process => process.Id == id && servers.Contains(process.Parent)));
        var all = running.Where(process => process.Parent == postmaster).Select(process => process.Id).Prepend(postmaster)
            .Select(id => id.ToString(CultureInfo.InvariantCulture)).ToList();
        using var kill = Process.Start("kill", ["-KILL", .. all]);
        await kill.WaitForExitAsync();
        await Patience.UntilAsync(() => !all.Exists(IsAlive));
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

    private static IEnumerable<(int Id, int Parent)> Running()
    {
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                if (StatusOf(process.Id) is { } status)
                    yield return (process.Id, int.Parse(status[1], CultureInfo.InvariantCulture));
            }
        }
    }

    // A process that nobody has waited for yet is dead all the same.
    private static bool IsAlive(string id) => StatusOf(int.Parse(id, CultureInfo.InvariantCulture)) is { } status && status[0] != "Z";

    // proc(5): state and parent come after the name, which ends with the last ')'.
    private static string[]? StatusOf(int id) => Read(id, "stat") is { } line ? line[(line.LastIndexOf(')') + 2)..].Split(' ') : null;

    private static string? CommandLine(int id) => Read(id, "cmdline")?.Replace('\0', ' ');

    private static string? Read(int id, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/{file}");
        }
        catch (IOException)
        {
            return null; // It ended in between.
        }
    }
}
