using System.Diagnostics;
using System.Runtime;

namespace Lumora.Bench.Measuring;

/// <summary>
/// Lets a load run until the runtime has compiled what it calls. A whole host takes a minute or two on busy processors, in which
/// the compiler has a fifth of the host's time; who sells a rate that lasts does not count it.
/// </summary>
internal static class WarmCode
{
    private const double CompilingMax = 0.02;

    private static readonly TimeSpan Sample = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Waits at least <paramref name="least"/>, then for five seconds with less than 2 % of a processor spent on compiling, but no
    /// longer than <paramref name="most"/>.
    /// </summary>
    public static Task WaitAsync(Load load, TimeSpan least, TimeSpan most, CancellationToken ct) =>
        WaitAsync(time => load.WaitAsync(time, ct), least, most);

    /// <summary>The same for work that <paramref name="run"/> does for so long.</summary>
    public static async Task WaitAsync(Func<TimeSpan, Task> run, TimeSpan least, TimeSpan most)
    {
        var clock = Stopwatch.StartNew();
        await run(least);
        while (clock.Elapsed < most)
        {
            var compiled = JitInfo.GetCompilationTime();
            await run(Sample);
            if ((JitInfo.GetCompilationTime() - compiled) / Sample < CompilingMax)
                return;
        }
    }
}
