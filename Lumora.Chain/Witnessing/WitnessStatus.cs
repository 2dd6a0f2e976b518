using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Lumora.Chain.Witnessing;

/// <summary>A checkpoint that is signed and waits for cosignatures.</summary>
/// <param name="Size">Its leaves.</param>
/// <param name="Since">When it was first brought to the witnesses, by this process.</param>
/// <param name="IsLate">True once a round of asking has ended without the quorum.</param>
public sealed record UnwitnessedCheckpoint(long Size, DateTimeOffset Since, bool IsLate);

/// <summary>How witnessing stands, for health and metrics (meter <c>Lumora.Witnesses</c>).</summary>
public sealed class WitnessStatus : IDisposable
{
    private readonly Meter _meter = new("Lumora.Witnesses");
    private readonly Counter<long> _failed;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<string, UnwitnessedCheckpoint> _waiting = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _failures = new(StringComparer.Ordinal);

    /// <summary>Registers the gauge <c>unwitnessed_age_seconds</c> and the counter <c>witness_failures</c>.</summary>
    public WitnessStatus(TimeProvider clock)
    {
        _clock = clock;
        _meter.CreateObservableGauge(
            "unwitnessed_age_seconds", () => UnwitnessedAge.TotalSeconds, "s",
            "Age of the oldest signed checkpoint that waits for its witnesses.");
        _failed = _meter.CreateCounter<long>("witness_failures", description: "Requests for a cosignature that failed.");
    }

    /// <summary>What waits, by shard.</summary>
    public IReadOnlyDictionary<string, UnwitnessedCheckpoint> Waiting => _waiting;

    /// <summary>Why a witness did not cosign when it was last asked, by its name in the policy; empty when all is well.</summary>
    public IReadOnlyDictionary<string, string> Failures => _failures;

    /// <summary>How long the oldest of them has waited.</summary>
    public TimeSpan UnwitnessedAge
    {
        get
        {
            var since = _waiting.Values.Select(waiting => (DateTimeOffset?)waiting.Since).Min();
            return since is { } oldest ? _clock.GetUtcNow() - oldest : TimeSpan.Zero;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Asked(string shard, long size) => _waiting.AddOrUpdate(
        shard,
        _ => new UnwitnessedCheckpoint(size, _clock.GetUtcNow(), IsLate: false),
        (_, known) => known.Size == size ? known : new UnwitnessedCheckpoint(size, _clock.GetUtcNow(), IsLate: false));

    internal void Late(string shard)
    {
        if (_waiting.TryGetValue(shard, out var waiting))
            _waiting[shard] = waiting with { IsLate = true };
    }

    internal void Witnessed(string shard) => _waiting.TryRemove(shard, out _);

    internal void Cosigned(string witness) => _failures.TryRemove(witness, out _);

    /// <summary>Notes a failure; true when it is a new one.</summary>
    internal bool Failed(string shard, string witness, string why)
    {
        _failed.Add(1, new("shard", shard), new("witness", witness));
        var isNew = !_failures.TryGetValue(witness, out var known) || known != why;
        _failures[witness] = why;
        return isNew;
    }
}
