using System.Collections.Concurrent;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Recorded refusals cost storage for ever, so one actor may cause only so many in a minute, however many it asks for at once:
/// they are counted when they are decided. The network's own processes are not limited.
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

    /// <summary>Counts a refusal that is about to be recorded, unless <paramref name="actor"/> has to wait for so long instead.</summary>
    public TimeSpan? Take(Actor actor)
    {
        if (ChartOfAccounts.IsSystem(actor))
            return null;
        if (WaitOf(actor) is { } wait)
            return wait;
        _counts.AddOrUpdate(actor.Id, 1, static (_, count) => count + 1);
        return null;
    }

    /// <summary>Uncounts the refusals of a batch that did not arrive and is decided again.</summary>
    public void GiveBack(IReadOnlyList<PreparedRequest> asked, DecidedBatch decided)
    {
        for (var i = 0; i < asked.Count; i++)
        {
            var actor = asked[i].Request.Actor;
            if (decided.Recorded[i] && decided.Outcomes[i] is LedgerOutcome.Refused && !ChartOfAccounts.IsSystem(actor))
                _counts.AddOrUpdate(actor.Id, 0, static (_, count) => Math.Max(0, count - 1));
        }
    }
}
