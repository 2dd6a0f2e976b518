using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;

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
    /// request. Call it with no transaction of your own open: the writer does not wait for locks.
    /// </summary>
    /// <exception cref="LedgerUnavailableException">The database could not be reached or refused the request.</exception>
    Task<LedgerOutcome> SubmitAsync(LedgerRequest request, CancellationToken ct);

    /// <summary>
    /// Submits up to <see cref="LedgerLimits.BulkMax"/> requests at once and waits until all outcomes are durable, in their order.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">More requests than that.</exception>
    /// <exception cref="LedgerUnavailableException">
    /// The database could not be reached or refused a request. In <see cref="BulkMode.Independent"/> some may have taken effect.
    /// </exception>
    Task<IReadOnlyList<LedgerOutcome>> SubmitAsync(
        IReadOnlyList<LedgerRequest> requests, BulkMode mode, CancellationToken ct);
}

/// <summary>What the requests of a bulk call have to do with each other.</summary>
public enum BulkMode
{
    /// <summary>Nothing: each has its own outcome.</summary>
    Independent,

    /// <summary>
    /// All take effect, in one transaction, or none: then the one at fault says why (and is recorded when that depends
    /// on the state), and the others are <see cref="LedgerCodes.BulkRefused"/>, unrecorded.
    /// </summary>
    AllOrNothing,
}

/// <summary>The ledgers of this host, one per shard.</summary>
public interface ILedgers
{
    /// <summary>The ledger of the shard that plays <paramref name="role"/>.</summary>
    ILedger For(ShardRole role);
}

/// <summary>The outcome of a request is unknown; it can be repeated safely.</summary>
public sealed class LedgerUnavailableException(Exception inner)
    : Exception("The ledger could not commit; repeat the request with the same key.", inner);
