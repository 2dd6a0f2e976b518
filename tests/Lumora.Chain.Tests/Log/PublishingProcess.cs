using System.Diagnostics;
using System.Globalization;

namespace Lumora.Chain.Tests.Log;

/// <summary>A process that publishes logs into folders, on one thread, so that its system calls come in the same order each time.</summary>
internal sealed class PublishingProcess : IAsyncDisposable
{
    private readonly Process _process;

    private PublishingProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public static async Task<PublishingProcess> StartAsync()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(typeof(PublishingProcess).Assembly.Location);
        start.ArgumentList.Add(PublishingProgram.Argument);
        // As many threads as processors may not be gone below.
        start.Environment["DOTNET_PROCESSOR_COUNT"] = "1";
        // A thread that waits for a debugger does so in a call that would be counted.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        // A collection asks the system for its memory, in files, on the thread that allocates; 1 GiB is never reached. And nothing
        // is compiled a second time once it has run.
        start.Environment["DOTNET_GCgen0size"] = "40000000";
        start.Environment["DOTNET_TieredCompilation"] = "0";
        var process = new PublishingProcess(Process.Start(start)!);
        Assert.Equal(PublishingProgram.Ready, await process._process.StandardOutput.ReadLineAsync());
        return process;
    }

    /// <summary>Publishes there; answers the last size and the number of faults, or null when it died.</summary>
    public async Task<(long Size, int Faults)?> PublishAsync(string folder, IEnumerable<int> sizes)
    {
        await _process.StandardInput.WriteLineAsync(string.Join('\t', sizes.Select(Text).Prepend(folder)));
        await _process.StandardInput.FlushAsync();
        if (await _process.StandardOutput.ReadLineAsync() is not { } line)
            return null;
        var parts = line.Split('\t');
        return (long.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
