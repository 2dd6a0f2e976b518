using System.Diagnostics.Metrics;

namespace Lumora.Chain.Anchoring;

/// <summary>How anchoring stands, for health and metrics (meter <c>Lumora.Anchoring</c>).</summary>
public sealed class AnchorStatus : IDisposable
{
    private readonly Meter _meter = new("Lumora.Anchoring");
    private readonly TimeProvider _clock;
    private DateTimeOffset? _waitingSince;

    /// <summary>Registers the gauges <c>unanchored_age_seconds</c> and <c>anchor_wallet_lamports</c>.</summary>
    public AnchorStatus(TimeProvider clock)
    {
        _clock = clock;
        _meter.CreateObservableGauge(
            "unanchored_age_seconds", () => UnanchoredAge.TotalSeconds, "s", "Age of the oldest leaf that no finalized anchor covers.");
        // Not known is not 0: no measurement then.
        _meter.CreateObservableGauge<long>(
            "anchor_wallet_lamports", () => WalletLamports is { } lamports ? [new Measurement<long>(lamports)] : [],
            "{lamport}", "What the anchor key has to pay with.");
    }

    /// <summary>Why anchoring waits; null while it does not.</summary>
    public string? Fault { get; private set; }

    /// <summary>Leaves worth an anchor that no finalized anchor covers yet.</summary>
    public long LeavesWaiting { get; private set; }

    /// <summary>How long the oldest of them has waited.</summary>
    public TimeSpan UnanchoredAge => _waitingSince is { } since && _clock.GetUtcNow() is var now && now > since ? now - since : TimeSpan.Zero;

    /// <summary>Lamports of the anchor wallet when it was looked at last; null before.</summary>
    public long? WalletLamports { get; private set; }

    /// <summary>What to do about a wallet with fewer than <c>Anchoring:LowBalanceLamports</c>; null while it has enough.</summary>
    public string? WalletLow { get; private set; }

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

    /// <summary>Notes the wallet's balance; true when it has just become low.</summary>
    internal bool Wallet(long lamports, string? low)
    {
        var isNew = low is not null && WalletLow is null;
        (WalletLamports, WalletLow) = (lamports, low);
        return isNew;
    }
}
