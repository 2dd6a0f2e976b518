namespace Lumora.Chain.Anchoring;

/// <summary>
/// The leaves of one log that wait to be covered. Each leaf is counted once, so that a chain that is away for days costs the
/// database nothing at each look.
/// </summary>
internal sealed class LeafBacklog(IPublishedCheckpoints checkpoints, string shard)
{
    private long _covered = -1;
    private long _counted;

    /// <summary>Leaves that wait, without those about anchors and checkpoints.</summary>
    public long Count { get; private set; }

    /// <summary>When the oldest of them was appended; null when none waits.</summary>
    public DateTimeOffset? Since { get; private set; }

    /// <summary>Takes up the leaves that are published by now; <paramref name="covered"/> of them wait no longer.</summary>
    public async Task LookAsync(long covered, CancellationToken ct)
    {
        if (covered != _covered)
            (_covered, _counted, Count, Since) = (covered, covered, 0, null);
        var size = checkpoints.Size(shard);
        if (size <= _counted)
            return;
        var found = await checkpoints.WaitingAsync(shard, _counted, size, ct);
        (_counted, Count, Since) = (size, Count + found.Count, Since ?? found.Since);
    }

    /// <summary>Whether they are enough, or have waited long enough.</summary>
    public bool IsDue(AnchoringOptions options, DateTimeOffset now) =>
        Since is { } since
        && (Count >= options.LeavesMax || now - since >= TimeSpan.FromMilliseconds(options.IntervalMs));
}
