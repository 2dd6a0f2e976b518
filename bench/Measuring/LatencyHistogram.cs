using System.Numerics;

namespace Lumora.Bench.Measuring;

/// <summary>
/// Counts latencies in buckets that are at most 1.6 % wide (64 to each power of two of a microsecond), up to 71
/// minutes. Safe for many threads; costs no memory per call.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int SubCount = 1 << SubBits;
    private const int BucketCount = (32 - SubBits + 1) * SubCount;

    private readonly long[] _counts = new long[BucketCount];

    /// <summary>Counts one call.</summary>
    public void Record(TimeSpan latency)
    {
        var micros = (uint)Math.Clamp(latency.TotalMicroseconds, 0, uint.MaxValue);
        Interlocked.Increment(ref _counts[IndexOf(micros)]);
    }

    /// <summary>The latency that <paramref name="fraction"/> of all calls did not exceed, in ms; 0 when there were none.</summary>
    public double QuantileMs(double fraction)
    {
        var total = _counts.Sum();
        var rank = (long)Math.Ceiling(total * fraction);
        for (long index = 0, seen = 0; index < BucketCount; index++)
        {
            seen += _counts[index];
            if (seen >= rank && seen > 0)
                return UpperMicros((int)index) / 1_000.0;
        }

        return 0;
    }

    // Below 64 µs a bucket is a microsecond; above, the seven leading bits choose it.
    private static int IndexOf(uint micros)
    {
        if (micros < SubCount)
            return (int)micros;
        var shift = BitOperations.Log2(micros) - SubBits;
        return ((shift + 1) << SubBits) + (int)((micros >> shift) - SubCount);
    }

    private static double UpperMicros(int index)
    {
        if (index < SubCount)
            return index + 1;
        var shift = (index >> SubBits) - 1;
        return (double)((index & (SubCount - 1)) + SubCount + 1) * (1L << shift);
    }
}
