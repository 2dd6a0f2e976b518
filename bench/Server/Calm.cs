using System.Diagnostics;

namespace Lumora.Bench.Server;

/// <summary>Waits until the rest of the machine leaves the processors to a run.</summary>
internal static class Calm
{
    /// <summary>Processors that others may keep busy in a row that counts as calm.</summary>
    public const double OtherProcessorsMax = 0.3;

    /// <summary>Waits for a calm <paramref name="sample"/>, at most <paramref name="patience"/>. Nothing of ours may be running meanwhile.</summary>
    public static async Task WaitAsync(TimeSpan sample, TimeSpan patience, CancellationToken ct)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < patience;)
        {
            var before = ServerProcesses.MachineCpuMs();
            await Task.Delay(sample, ct);
            if (ServerProcesses.MachineCpuMs() - before is not { } busy || busy / sample.TotalMilliseconds <= OtherProcessorsMax)
                return;
        }
    }
}
