using System.Threading.Channels;
using Lumora.Domain.Tasks;
using Lumora.Projections.Nodes;

namespace Lumora.Api.Tasks;

/// <summary>
/// Holds the long polls of nodes and hands out work. The node with the smallest recent share comes first, so that
/// nodes of different speed share a collection instead of the fastest taking it all.
/// </summary>
internal sealed class LeaseDispatcher(
    LeaseClaims claims, LeaseEnds ends, WorkSignals signals, TimeProvider clock, ILogger<LeaseDispatcher> logger)
    : Worker(logger)
{
    private const int WaitersMax = 10_000;

    // Tasks come back at stored times that signal nobody.
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ShareHalfLife = TimeSpan.FromSeconds(60);

    private readonly Channel<Waiter> _arrivals = Channel.CreateBounded<Waiter>(WaitersMax);
    private readonly Dictionary<string, int> _share = new(StringComparer.Ordinal);
    private readonly List<Waiter> _waiting = [];
    private long _sharesHalvedAt;

    /// <summary>Waits for a lease until <paramref name="wait"/> is over; null when there is none.</summary>
    public async Task<Lease?> WaitAsync(NodeView node, TimeSpan wait, CancellationToken ct)
    {
        var waiter = new Waiter(node, clock.GetUtcNow() + wait);
        await using var gone = ct.Register(() => waiter.Answer.TrySetResult(null));
        if (!_arrivals.Writer.TryWrite(waiter))
            return null;
        signals.Leases.Set();
        return await waiter.Answer.Task;
    }

    /// <inheritdoc/>
    protected override async Task<bool> PassAsync(CancellationToken ct)
    {
        while (_arrivals.Reader.TryRead(out var waiter))
            _waiting.Add(waiter);
        HalveShares();
        foreach (var waiter in _waiting.OrderBy(waiter => _share.GetValueOrDefault(waiter.Node.NodeId)).ToList())
        {
            if (!waiter.Answer.Task.IsCompleted && await claims.TryClaimAsync(waiter.Node, ct) is { } lease)
                await HandOverAsync(waiter, lease, ct);
            else if (clock.GetUtcNow() >= waiter.Until)
                waiter.Answer.TrySetResult(null);
        }

        _waiting.RemoveAll(waiter => waiter.Answer.Task.IsCompleted);
        return false;
    }

    /// <inheritdoc/>
    protected override Task IdleAsync(CancellationToken ct) =>
        signals.Leases.WaitAsync(_waiting.Count > 0 ? Poll : Timeout.InfiniteTimeSpan, ct);

    private async Task HandOverAsync(Waiter waiter, Lease lease, CancellationToken ct)
    {
        _share[waiter.Node.NodeId] = _share.GetValueOrDefault(waiter.Node.NodeId) + 1;
        // The node hung up in this moment: nobody would work on the task until its deadline.
        if (!waiter.Answer.TrySetResult(lease))
            await ends.RefuseAsync(lease.LeaseId, waiter.Node.NodeId, "node_gone", "The node hung up.", ct);
    }

    private void HalveShares()
    {
        var now = clock.GetTimestamp();
        if (clock.GetElapsedTime(_sharesHalvedAt, now) < ShareHalfLife)
            return;
        _sharesHalvedAt = now;
        foreach (var (node, share) in _share.ToList())
        {
            if (share > 1)
                _share[node] = share / 2;
            else
                _share.Remove(node);
        }
    }

    private sealed record Waiter(NodeView Node, DateTimeOffset Until)
    {
        public TaskCompletionSource<Lease?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
