using System.Diagnostics;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>Tells those who wait for a batch how it ended, and counts it.</summary>
internal sealed class BatchAnswers(LedgerMetrics.OfWriter? metrics)
{
    /// <summary>Answers what is committed.</summary>
    /// <param name="batch">Who waits.</param>
    /// <param name="decided">What was decided.</param>
    /// <param name="started">When the batch was taken, as of <see cref="Stopwatch"/>.</param>
    public void Answer(IReadOnlyList<Pending> batch, DecidedBatch decided, long started)
    {
        metrics?.Decided(decided.Outcomes, Stopwatch.GetElapsedTime(started));
        var first = 0;
        foreach (var pending in batch)
        {
            pending.Answer(decided.Outcomes.AsSpan(first, pending.Asked.Count));
            first += pending.Asked.Count;
        }
    }

    /// <summary>Refuses the whole of <paramref name="pending"/>; nothing of it is recorded.</summary>
    public void Refuse(Pending pending, Rejection rejection)
    {
        metrics?.Count(LedgerMetrics.Refused, pending.Asked.Count);
        var refused = new LedgerOutcome.Refused(rejection, Replayed: false);
        pending.Answer([.. Enumerable.Repeat(refused, pending.Asked.Count)]);
    }

    /// <summary>Says that the outcome is unknown.</summary>
    public void Fail(IReadOnlyList<Pending> batch, Exception fault)
    {
        metrics?.Count(LedgerMetrics.Failed, batch.Sum(pending => pending.Asked.Count));
        foreach (var pending in batch)
            pending.Fail(fault);
    }
}
