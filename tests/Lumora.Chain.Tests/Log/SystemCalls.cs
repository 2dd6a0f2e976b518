using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Lumora.Chain.Tests.Log;

/// <summary>A system call on a file: the <paramref name="Number"/>th of its name that its thread makes, counted from 1.</summary>
internal sealed record SystemCall(string Name, int Number, string Arguments)
{
    /// <summary>strace's words for: this one fails and does nothing.</summary>
    public string Fails(string error) => string.Create(CultureInfo.InvariantCulture, $"inject={Name}:error={error}:when={Number}");

    /// <summary>strace's words for: kill −9 in this one's place.</summary>
    public string Kills => string.Create(CultureInfo.InvariantCulture, $"inject={Name}:signal=KILL:when={Number}");
}

/// <summary>strace on a running process: tells its calls on files, and breaks one of them.</summary>
internal sealed partial class SystemCalls : IAsyncDisposable
{
    // Whatever makes, fills, flushes, renames or removes a file or a folder; the old names and those that took their place.
    private const string OnFiles =
        "trace=?open,openat,?mkdir,?mkdirat,write,pwrite64,fsync,fdatasync,?rename,?renameat,?renameat2,?link,?linkat,?unlink,?unlinkat";

    private static readonly string[] s_program = ["/usr/bin/strace", "/bin/strace", "/usr/local/bin/strace"];

    private readonly Process _strace;
    private readonly string _output = Path.GetTempFileName();

    private SystemCalls(int process, string? inject)
    {
        var start = new ProcessStartInfo("strace") { RedirectStandardError = true, UseShellExecute = false };
        var id = process.ToString(CultureInfo.InvariantCulture);
        foreach (var argument in (string[])["-f", "-y", "-s", "0", "-o", _output, "-e", OnFiles, "-p", id])
            start.ArgumentList.Add(argument);
        if (inject is not null)
        {
            start.ArgumentList.Add("-e");
            start.ArgumentList.Add(inject);
        }

        _strace = Process.Start(start)!;
    }

    /// <summary>True where strace is installed.</summary>
    public static bool CanBeBroken => s_program.Any(File.Exists);

    /// <summary>Follows <paramref name="process"/> from now on, with the fault <paramref name="inject"/>.</summary>
    public static async Task<SystemCalls> FollowAsync(int process, string? inject = null)
    {
        var calls = new SystemCalls(process, inject);
        if (await calls._strace.StandardError.ReadLineAsync() is { } line && line.Contains("attached", StringComparison.Ordinal))
            return calls;
        await calls.DisposeAsync();
        throw new InvalidOperationException("strace could not attach.");
    }

    /// <summary>Lets the process go and answers its calls on files below <paramref name="folder"/>, with the fault's mark.</summary>
    public async Task<IReadOnlyList<SystemCall>> EndAsync(string folder)
    {
        // It detaches and writes what it has.
        using var interrupt = Process.Start("kill", ["-INT", _strace.Id.ToString(CultureInfo.InvariantCulture)]);
        return await EndedAsync(folder);
    }

    /// <summary>The same for a process that has died; the last of its calls is where it did.</summary>
    public async Task<IReadOnlyList<SystemCall>> EndedAsync(string folder)
    {
        await _strace.WaitForExitAsync();
        var numbers = new Dictionary<(string Thread, string Name), int>();
        var found = new List<SystemCall>();
        foreach (var line in await File.ReadAllLinesAsync(_output))
        {
            if (Call().Match(line) is not { Success: true } call)
                continue;
            var (thread, name) = (call.Groups["thread"].Value, call.Groups["name"].Value);
            var number = numbers[(thread, name)] = numbers.GetValueOrDefault((thread, name)) + 1;
            if (line.Contains(folder, StringComparison.Ordinal))
                found.Add(new SystemCall(name, number, call.Groups["arguments"].Value));
        }

        return found;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_strace.HasExited)
            _strace.Kill();
        await _strace.WaitForExitAsync();
        _strace.Dispose();
        File.Delete(_output);
    }

    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>\w+)\((?<arguments>.*)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Call();
}
