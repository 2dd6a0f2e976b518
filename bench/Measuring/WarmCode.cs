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
    public static async Task WaitAsync(Load load, TimeSpan least, TimeSpan most, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        await load.WaitAsync(least, ct);
        while (clock.Elapsed < most)
        {
            var compiled = JitInfo.GetCompilationTime();
            await load.WaitAsync(Sample, ct);
            if ((JitInfo.GetCompilationTime() - compiled) / Sample < CompilingMax)
                return;
        }
    }
}
