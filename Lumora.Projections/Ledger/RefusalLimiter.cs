using System.Collections.Concurrent;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Recorded refusals cost storage for ever, so one actor may cause only so many in a minute. The network's own
/// processes are not limited.
/// </summary>
internal sealed class RefusalLimiter(int perMinuteMax, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private long _minute;

    /// <summary>How long <paramref name="actor"/> has to wait; null when it may go on.</summary>
    public TimeSpan? WaitOf(Actor actor)
    {
        var now = clock.GetUtcNow();
        var minute = now.ToUnixTimeSeconds() / 60;
        if (Interlocked.Exchange(ref _minute, minute) != minute)
            _counts.Clear();
        return _counts.GetValueOrDefault(actor.Id) < perMinuteMax
            ? null
            : DateTimeOffset.FromUnixTimeSeconds((minute + 1) * 60) - now;
    }

    /// <summary>Counts a refusal that was recorded.</summary>
    public void Count(Actor actor, LedgerOutcome outcome)
    {
        if (outcome is LedgerOutcome.Refused { Replayed: false } && !ChartOfAccounts.IsSystem(actor))
            _counts.AddOrUpdate(actor.Id, 1, static (_, count) => count + 1);
    }
}
