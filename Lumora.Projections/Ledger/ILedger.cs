using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>
/// The only door to money. Every request is decided by the one writer of the shard's journal, committed together
/// with what it moves, and answered after the commit. After an exception or a lost answer the outcome is unknown:
/// repeat the same request and get its first outcome.
/// </summary>
public interface ILedger
{
    /// <summary>
    /// Submits <paramref name="request"/> and waits until its outcome is durable. Cancelling stops the wait, not the
    /// request.
    /// </summary>
    /// <exception cref="LedgerUnavailableException">The database could not be reached or refused the batch.</exception>
    Task<LedgerOutcome> SubmitAsync(LedgerRequest request, CancellationToken ct);
}

/// <summary>The outcome of a request is unknown; it can be repeated safely.</summary>
public sealed class LedgerUnavailableException(Exception inner)
    : Exception("The ledger could not commit; repeat the request with the same key.", inner);
