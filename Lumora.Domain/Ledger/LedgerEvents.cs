using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

// These names and shapes are the storage format of the journal `ledger/{shard}` and the leaves of the public log.
// Who asked stands in the metadata of each event (its actor), when it happened in its timestamp. Id is the caller's
// idempotency key: one outcome per (actor, id).

/// <summary>Marks the stream type of the journal <c>ledger/{shard}</c>.</summary>
public sealed record LedgerJournal
{
    /// <summary>The stream id of a shard's journal.</summary>
    public static string StreamId(string shard) => $"ledger/{shard}";
}

/// <summary>An account exists from here on, with a balance of 0.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Code">The account's code, see <see cref="ChartOfAccounts"/>.</param>
/// <param name="Asset">The asset it counts.</param>
/// <param name="Floor">Least balance in base units; null = unbounded.</param>
[EventContract("account_opened")]
public sealed record AccountOpened(string Id, string Code, string Asset, long? Floor);

/// <summary>All postings of a transaction took effect.</summary>
/// <param name="Id">The request's idempotency key: the transaction's id among its actor's.</param>
/// <param name="Kind">What the money moved for, snake_case.</param>
/// <param name="Postings">As asked, in order.</param>
/// <param name="Reference">The business object behind it.</param>
/// <param name="Metadata">Free text pairs of the caller.</param>
/// <param name="Opened">Accounts that this transaction opened (floor 0), before its postings.</param>
/// <param name="ToSuspense">Indexes of postings whose payee was frozen or closed: paid into its suspense account.</param>
[EventContract("transaction_posted")]
public sealed record TransactionPosted(
    string Id,
    string Kind,
    IReadOnlyList<Posting> Postings,
    TransactionReference? Reference = null,
    IReadOnlyDictionary<string, string>? Metadata = null,
    IReadOnlyList<AccountKey>? Opened = null,
    IReadOnlyList<int>? ToSuspense = null);

/// <summary>
/// A request was refused for a reason that depends on the state. Changes nothing but the memory of outcomes, so that
/// a repeated request gets the same answer forever.
/// </summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="ContentHash">The request's <see cref="RequestDigest"/> in hexadecimal.</param>
/// <param name="Code">A code of <see cref="LedgerCodes"/>.</param>
/// <param name="Field">The input field at fault.</param>
[EventContract("transaction_rejected")]
public sealed record TransactionRejected(string Id, string ContentHash, string Code, string? Field = null);

/// <summary>The account neither pays nor is paid until it is unfrozen.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Reason">Why: power is visible.</param>
[EventContract("account_frozen")]
public sealed record AccountFrozen(string Id, string Code, string Asset, string Reason);

/// <summary>The account takes part again.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Reason">Why: power is visible.</param>
[EventContract("account_unfrozen")]
public sealed record AccountUnfrozen(string Id, string Code, string Asset, string Reason);

/// <summary>The account was empty and never takes part again.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Reason">Why: power is visible.</param>
[EventContract("account_closed")]
public sealed record AccountClosed(string Id, string Code, string Asset, string Reason);

/// <summary>The least balance changed.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Floor">Base units; null = unbounded.</param>
/// <param name="Reason">Why: power is visible.</param>
[EventContract("floor_changed")]
public sealed record FloorChanged(string Id, string Code, string Asset, long? Floor, string Reason);
