using System.Diagnostics.Metrics;

namespace Lumora.Chain.Anchoring;

/// <summary>How anchoring stands, for health and metrics (meter <c>Lumora.Anchoring</c>).</summary>
public sealed class AnchorStatus : IDisposable
{
    private readonly Meter _meter = new("Lumora.Anchoring");
    private readonly TimeProvider _clock;
    private DateTimeOffset? _waitingSince;

    /// <summary>Registers the gauge <c>unanchored_age_seconds</c>.</summary>
    public AnchorStatus(TimeProvider clock)
    {
        _clock = clock;
        _meter.CreateObservableGauge(
            "unanchored_age_seconds", () => UnanchoredAge.TotalSeconds, "s", "Age of the oldest leaf that waits for an anchor.");
    }

    /// <summary>Why anchoring waits; null while it does not.</summary>
    public string? Fault { get; private set; }

    /// <summary>Leaves worth an anchor that no anchor covers yet.</summary>
    public long LeavesWaiting { get; private set; }

    /// <summary>How long the oldest of them has waited.</summary>
    public TimeSpan UnanchoredAge => _waitingSince is { } since ? _clock.GetUtcNow() - since : TimeSpan.Zero;

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Waiting(long leaves, DateTimeOffset? since) => (LeavesWaiting, _waitingSince) = (leaves, since);

    internal void Clear() => Fault = null;

    /// <summary>Notes a fault; true when it is a new one.</summary>
    internal bool Note(string fault)
    {
        var isNew = fault != Fault;
        Fault = fault;
        return isNew;
    }
}
