using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Lumora.Projections.Ledger;

/// <summary>What the last passes over the ledger of a shard saw.</summary>
/// <param name="Counts">Findings by code; empty = nothing differs.</param>
/// <param name="First">The first findings.</param>
/// <param name="Since">When the first of them was found; null = nothing differs.</param>
/// <param name="CleanAt">When a full pass was clean last; null = none has been yet.</param>
/// <param name="Version">The journal version up to which what is new was compared.</param>
public sealed record LedgerShardHealth(
    IReadOnlyDictionary<string, long> Counts, IReadOnlyList<LedgerFinding> First, DateTimeOffset? Since,
    DateTimeOffset? CleanAt, long Version)
{
    /// <summary>Before any pass.</summary>
    public static LedgerShardHealth Unknown { get; } =
        new(new Dictionary<string, long>(StringComparer.Ordinal), [], null, null, 0);

    /// <summary>Whether the ledger is not what its journal says.</summary>
    public bool Differs => Counts.Count > 0;
}

/// <summary>
/// Whether the ledger is what its journal says, for the rest of the host. A difference stops what pays out and nothing
/// else: purchases and postings are decided by the same rules as before, and can be corrected; money that left cannot.
/// Also the alarm, in the meter <c>Lumora.Ledger</c>.
/// </summary>
public sealed class LedgerHealth
{
    /// <summary>The code under which the difference is known: in <c>/readyz</c>, logs and runbooks.</summary>
    public const string DiffersCode = "ledger_differs";

    private readonly ConcurrentDictionary<string, LedgerShardHealth> _shards = new(StringComparer.Ordinal);

    /// <summary>Makes the instruments.</summary>
    public LedgerHealth(IMeterFactory meters)
    {
        var meter = meters.Create(LedgerMetrics.MeterName);
        meter.CreateObservableGauge(
            "lumora.ledger.findings", Findings, "{finding}", "Differences between ledger and journal by code; above 0 = alarm.");
        meter.CreateObservableGauge(
            "lumora.ledger.clean_pass.timestamp", CleanPasses, "s", "When a full pass was clean last, in seconds since 1970.");
        meter.CreateObservableGauge(
            "lumora.ledger.reconciled.version", Versions, "{event}", "The journal version up to which the ledger was compared.");
    }

    /// <summary>False while the ledger of any shard differs from its journal.</summary>
    public bool PayoutsAllowed => _shards.Values.All(shard => !shard.Differs);

    /// <summary>What is known, by shard.</summary>
    public IReadOnlyDictionary<string, LedgerShardHealth> Shards => _shards;

    /// <summary>Takes over what was seen and returns what was known before.</summary>
    public LedgerShardHealth Set(string shard, LedgerShardHealth health)
    {
        var before = _shards.GetValueOrDefault(shard, LedgerShardHealth.Unknown);
        _shards[shard] = health;
        return before;
    }

    // Every code has its series from the start: an alarm on one that is missing would never fire.
    private IEnumerable<Measurement<long>> Findings() =>
        from shard in _shards
        from code in LedgerFindingCodes.All
        select new Measurement<long>(shard.Value.Counts.GetValueOrDefault(code), new("shard", shard.Key), new("code", code));

    private IEnumerable<Measurement<double>> CleanPasses() =>
        from shard in _shards
        where shard.Value.CleanAt is not null
        select new Measurement<double>(
            shard.Value.CleanAt!.Value.ToUnixTimeMilliseconds() / 1_000.0, new KeyValuePair<string, object?>("shard", shard.Key));

    private IEnumerable<Measurement<long>> Versions() => _shards.Select(shard =>
        new Measurement<long>(shard.Value.Version, new KeyValuePair<string, object?>("shard", shard.Key)));
}
