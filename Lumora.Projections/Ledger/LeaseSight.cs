using System.Diagnostics;

namespace Lumora.Projections.Ledger;

/// <summary>What this host saw of a shard's lease when it last looked, and the database's time by that look.</summary>
internal sealed class LeaseSight(string holder) : IDisposable
{
    private volatile SeenLease? _lease;
    private volatile DatabaseTime? _time;

    /// <summary>The lease as it was last seen; null before the first look.</summary>
    public SeenLease? Lease => _lease;

    /// <summary>The time of the database, by the last look and what has passed since; null before the first.</summary>
    public DateTimeOffset? DatabaseNow => _time?.Now;

    /// <summary>True when the lease of <paramref name="seen"/> is this host's own.</summary>
    public bool IsOwn(SeenLease seen) => string.Equals(seen.Holder, holder, StringComparison.Ordinal);

    /// <summary>The database says that it is <paramref name="now"/>.</summary>
    public void Read(DateTimeOffset now) => _time = new DatabaseTime(now, Stopwatch.GetTimestamp());

    /// <summary>Somebody holds the lease: <paramref name="row"/> was just read.</summary>
    public void See(LeaseRow row)
    {
        var until = Until(row.Left);
        if (_lease is { } seen && seen.Term == row.Term && string.Equals(seen.Holder, row.Holder, StringComparison.Ordinal))
            seen.Update(row.Address, until);
        else
            Replace(new SeenLease(row.Term, row.Holder, row.Secret, row.Address, until));
    }

    /// <summary>Another term begins: what waits for an answer of the one before waits no longer.</summary>
    public void Replace(SeenLease next)
    {
        var before = _lease;
        _lease = next;
        before?.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => _lease?.Dispose();

    /// <summary>In <paramref name="time"/> from now, on the monotonic clock.</summary>
    public static long Until(TimeSpan time) =>
        Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);

    private sealed record DatabaseTime(DateTimeOffset At, long Stamp)
    {
        public DateTimeOffset Now => At + Stopwatch.GetElapsedTime(Stamp);
    }
}
