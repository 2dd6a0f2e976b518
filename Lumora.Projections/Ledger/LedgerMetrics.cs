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
            "lumora.ledger.commit.duration", "s", "From taking the fence to the commit of a batch.",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
            });
    }

    /// <summary>The measurements of one writer.</summary>
    internal OfWriter For(string shard, Func<int> queueLength)
    {
        var tag = new KeyValuePair<string, object?>("shard", shard);
        _meter.CreateObservableGauge(
            "lumora.ledger.queue.length", () => new Measurement<int>(queueLength(), tag), "{request}",
            "Requests that wait for the writer.");
        return new OfWriter(this, tag);
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
            var (posted, replayed, refused) = (0, 0, 0);
            foreach (var outcome in outcomes)
            {
                if (outcome is LedgerOutcome.Posted { Replayed: true } or LedgerOutcome.Refused { Replayed: true })
                    replayed++;
                else if (outcome is LedgerOutcome.Posted)
                    posted++;
                else
                    refused++;
            }

            Count(Posted, posted);
            Count(Replayed, replayed);
            Count(Refused, refused);
        }
    }
}
