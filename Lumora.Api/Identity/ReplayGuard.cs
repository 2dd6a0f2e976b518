using Lumora.Domain.Cryptography;

namespace Lumora.Api.Identity;

/// <summary>
/// Remembers the nonces of node requests for as long as their signatures are fresh, so that each counts once. In memory:
/// after a restart a request of the last minute could be repeated, which is harmless, because each call
/// of the node protocol is idempotent. Only registered nodes get this far, and each has a share, so it stays bounded.
/// </summary>
internal sealed class ReplayGuard(TimeProvider clock)
{
    /// <summary>Nonces of one node that are remembered at once; about 80 requests a second.</summary>
    public const int NoncesPerNodeMax = 10_000;

    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(2 * NodeRequest.SkewSecondsMax + 1);

    private readonly Lock _lock = new();
    private readonly HashSet<(string NodeId, string Nonce)> _known = [];
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly Queue<((string NodeId, string Nonce) Key, DateTimeOffset ForgetAt)> _order = new();

    /// <summary>What <see cref="Remember"/> found.</summary>
    public enum Outcome
    {
        /// <summary>The first time.</summary>
        Fresh,

        /// <summary>Seen before.</summary>
        Replayed,

        /// <summary>This node has too many at once.</summary>
        Busy,
    }

    /// <summary>Remembers a request.</summary>
    public Outcome Remember(string nodeId, string nonce)
    {
        var now = clock.GetUtcNow();
        lock (_lock)
        {
            Forget(now);
            if (_known.Contains((nodeId, nonce)))
                return Outcome.Replayed;
            var count = _counts.GetValueOrDefault(nodeId);
            if (count >= NoncesPerNodeMax)
                return Outcome.Busy;
            _known.Add((nodeId, nonce));
            _counts[nodeId] = count + 1;
            _order.Enqueue(((nodeId, nonce), now + Memory));
            return Outcome.Fresh;
        }
    }

    private void Forget(DateTimeOffset now)
    {
        while (_order.TryPeek(out var oldest) && oldest.ForgetAt <= now)
        {
            _order.Dequeue();
            _known.Remove(oldest.Key);
            if (--_counts[oldest.Key.NodeId] == 0)
                _counts.Remove(oldest.Key.NodeId);
        }
    }
}
