using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>
/// A ledger that queues what it is asked: what is no request at all, or finds no room, is answered at once, and digests are
/// made before the queue, on the caller's time.
/// </summary>
public abstract class QueuedLedger : ILedger
{
    /// <inheritdoc/>
    public Task<LedgerOutcome> SubmitAsync(LedgerRequest request, CancellationToken ct)
    {
        if (Hindrance(request) is { } hindrance)
            return Task.FromResult(hindrance);
        var pending = new PendingRequest(PreparedRequest.Of(request));
        return Takes(pending) ? pending.Outcome.WaitAsync(ct) : Task.FromResult(Busy(1));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<LedgerOutcome>> SubmitAsync(
        IReadOnlyList<LedgerRequest> requests, BulkMode mode, CancellationToken ct)
    {
        if (requests.Count > LedgerLimits.BulkMax)
            throw new ArgumentOutOfRangeException(nameof(requests), requests.Count, $"at most {LedgerLimits.BulkMax} requests");
        if (mode == BulkMode.Independent)
            return await Task.WhenAll(requests.Select(request => SubmitAsync(request, ct)));
        if (requests.Count == 0)
            return [];
        for (var i = 0; i < requests.Count; i++)
        {
            if (Hindrance(requests[i]) is { } hindrance)
                return AllBut(i, requests.Count, hindrance);
        }

        var pending = new PendingGroup([.. requests.Select(PreparedRequest.Of)]);
        return Takes(pending)
            ? await pending.Outcomes.WaitAsync(ct)
            : [.. Enumerable.Repeat(Busy(requests.Count), requests.Count)];
    }

    /// <summary>Takes over what is checked and prepared; false when there is no room.</summary>
    internal abstract bool Takes(Pending pending);

    /// <summary>The answer to what must not be queued; null = queue it.</summary>
    private protected virtual LedgerOutcome? Hindrance(LedgerRequest request) =>
        LedgerShape.Check(request) is { } fault ? new LedgerOutcome.Refused(fault, Replayed: false) : null;

    /// <summary>The answer to each of <paramref name="requests"/> that found no room.</summary>
    private protected abstract LedgerOutcome Busy(int requests);

    // The answers of an all-or-nothing call whose request at index is hindered.
    private static LedgerOutcome[] AllBut(int index, int count, LedgerOutcome hindrance)
    {
        var others = hindrance is LedgerOutcome.Busy
            ? hindrance
            : new LedgerOutcome.Refused(LedgerCodes.Reject(LedgerCodes.BulkRefused), Replayed: false);
        var outcomes = new LedgerOutcome[count];
        Array.Fill(outcomes, others);
        outcomes[index] = hindrance;
        return outcomes;
    }
}
