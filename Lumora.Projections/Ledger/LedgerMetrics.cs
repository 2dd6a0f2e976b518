using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>
/// The meter <c>Lumora.Ledger</c>. What is measured is added once per batch, not once per request, and the queue is
/// counted when somebody asks; without a listener nothing is counted at all.
/// </summary>
public sealed class LedgerMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Lumora.Ledger";

    internal const string Busy = "busy";
    internal const string Failed = "failed";
    internal const string Posted = "posted";
    internal const string Refused = "refused";
    internal const string Replayed = "replayed";

    private readonly Meter _meter;
    private readonly Counter<long> _requests;
    private readonly Histogram<int> _batch;
    private readonly Histogram<double> _commit;
    private readonly Counter<long> _forwarded;
    private readonly Counter<long> _forwards;
    private readonly Counter<long> _changes;
    private readonly ConcurrentDictionary<string, Func<int>> _queues = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<LedgerStanding>> _standings = new(StringComparer.Ordinal);

    /// <summary>Makes the instruments.</summary>
    public LedgerMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _requests = _meter.CreateCounter<long>(
            "lumora.ledger.requests", "{request}", "Requests by outcome: posted, replayed, refused, busy, failed.");
        _batch = _meter.CreateHistogram(
            "lumora.ledger.batch.size", "{request}", "Requests decided in one transaction.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 4, 16, 64, 256, 1_024, 4_096, 8_192] });
        _commit = _meter.CreateHistogram(
            "lumora.ledger.commit.duration", "s", "From taking a batch to its commit.",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
            });
        _forwarded = _meter.CreateCounter<long>(
            "lumora.ledger.forwarded", "{request}",
            "Requests that another host decided, by outcome: posted, replayed, refused, busy, failed.");
        _forwards = _meter.CreateCounter<long>(
            "lumora.ledger.forwards", "{batch}",
            "Batches sent to the writer, by result: answered, refused (by the host there), unreachable.");
        _changes = _meter.CreateCounter<long>(
            "lumora.ledger.lease.changes", "{change}", "Changes of this host's lease: taken, lost, handed_over.");
        _meter.CreateObservableGauge(
            "lumora.ledger.queue.length", () => _queues.Select(pair => new Measurement<int>(pair.Value(), TagOf(pair.Key))),
            "{request}", "Requests that wait for the writer.");
        _meter.CreateObservableGauge(
            "lumora.ledger.writer",
            () => _standings.Select(pair => new Measurement<int>(pair.Value().IsWriter ? 1 : 0, TagOf(pair.Key))),
            description: "1 while this host is the writer.");
        _meter.CreateObservableGauge(
            "lumora.ledger.lease.term",
            () => _standings.Select(pair => new Measurement<long>(pair.Value().Term, TagOf(pair.Key))),
            description: "The lease's term as this host knows it: how often the writer changed.");
    }

    /// <summary>The measurements of one writer; its queue takes the place of an earlier writer's.</summary>
    internal OfWriter For(string shard, Func<int> queueLength)
    {
        _queues[shard] = queueLength;
        return new OfWriter(this, TagOf(shard));
    }

    /// <summary>The measurements of a shard's lease and of what is forwarded.</summary>
    internal OfLease ForLease(string shard, Func<LedgerStanding> standing)
    {
        _standings[shard] = standing;
        return new OfLease(this, TagOf(shard));
    }

    private static KeyValuePair<string, object?> TagOf(string shard) => new("shard", shard);

    private static string NameOf(LedgerOutcome outcome) => outcome switch
    {
        LedgerOutcome.Posted { Replayed: true } or LedgerOutcome.Refused { Replayed: true } => Replayed,
        LedgerOutcome.Posted => Posted,
        LedgerOutcome.Refused => Refused,
        _ => Busy,
    };

    /// <summary>What the lease and the forwarding of one shard report.</summary>
    internal sealed class OfLease(LedgerMetrics metrics, KeyValuePair<string, object?> shard)
    {
        /// <summary>Counts a change of the lease: taken, lost, handed_over.</summary>
        public void Changed(string change) => metrics._changes.Add(1, shard, new("change", change));

        /// <summary>Counts a batch that was sent: answered, refused, unreachable.</summary>
        public void Sent(string result) => metrics._forwards.Add(1, shard, new("result", result));

        /// <summary>Counts a call of <paramref name="requests"/> that another host decided; null = unknown outcomes.</summary>
        public void Forwarded(IReadOnlyList<LedgerOutcome>? outcomes, int requests)
        {
            if (outcomes is null)
                metrics._forwarded.Add(requests, shard, new("outcome", Failed));
            foreach (var outcome in outcomes ?? [])
                metrics._forwarded.Add(1, shard, new("outcome", NameOf(outcome)));
        }
    }

    /// <summary>What one writer reports.</summary>
    internal sealed class OfWriter(LedgerMetrics metrics, KeyValuePair<string, object?> shard)
    {
        /// <summary>Counts requests that ended as <paramref name="outcome"/>.</summary>
        public void Count(string outcome, int requests)
        {
            if (requests > 0)
                metrics._requests.Add(requests, shard, new("outcome", outcome));
        }

        /// <summary>Counts a batch that was decided, and what it took.</summary>
        public void Decided(IReadOnlyList<LedgerOutcome> outcomes, TimeSpan took)
        {
            metrics._batch.Record(outcomes.Count, shard);
            metrics._commit.Record(took.TotalSeconds, shard);
            if (!metrics._requests.Enabled)
                return;
            var (posted, replayed, refused, busy) = (0, 0, 0, 0);
            foreach (var outcome in outcomes)
            {
                if (outcome is LedgerOutcome.Posted { Replayed: true } or LedgerOutcome.Refused { Replayed: true })
                    replayed++;
                else if (outcome is LedgerOutcome.Posted)
                    posted++;
                else if (outcome is LedgerOutcome.Refused)
                    refused++;
                else
                    busy++;
            }

            Count(Posted, posted);
            Count(Replayed, replayed);
            Count(Refused, refused);
            Count(Busy, busy);
        }
    }
}
