namespace Lumora.Node.Leasing;

/// <summary>
/// Pauses after failures: the upper bound doubles from the first to the last, and the pause is anywhere from half of it
/// to all of it, so that nodes that lost the gateway together do not come back together.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan last, TimeProvider clock)
{
    private int _failures;

    /// <summary>After a success: the next pause is a first one again.</summary>
    internal void Reset() => _failures = 0;

    /// <summary>Waits, but at least <paramref name="atLeast"/> (what a Retry-After asked for).</summary>
    internal Task WaitAsync(TimeSpan? atLeast, CancellationToken cancellationToken)
    {
        var pause = Next(Random.Shared.NextDouble());
        return Task.Delay(atLeast > pause ? atLeast.Value : pause, clock, cancellationToken);
    }

    /// <summary>The next pause; <paramref name="jitter"/> is from 0 to 1.</summary>
    internal TimeSpan Next(double jitter)
    {
        var bound = Math.Min(last.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, Math.Min(_failures++, 30)));
        return TimeSpan.FromMilliseconds(bound * (0.5 + (jitter / 2)));
    }
}
