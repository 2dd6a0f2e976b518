using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

// These names and shapes are the storage format of the journal `ledger/{shard}` and the leaves of the public log.
// Who asked stands in the metadata of each event (its actor), when it happened in its timestamp. Id is the caller's
// idempotency key: one outcome per (actor, id).

/// <summary>What every event of the journal has in common.</summary>
public interface ILedgerEvent
{
    /// <summary>The idempotency key of the request that it answers: one outcome per (actor, id).</summary>
    string Id { get; }
}

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
public sealed record AccountOpened(string Id, string Code, string Asset, long? Floor) : ILedgerEvent;

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
    IReadOnlyList<int>? ToSuspense = null) : ILedgerEvent;

/// <summary>
/// A request was refused for a reason that depends on the state. Changes nothing but the memory of outcomes, so that
/// a repeated request gets the same answer forever.
/// </summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="ContentHash">The request's <see cref="RequestDigest"/> in hexadecimal.</param>
/// <param name="Code">A code of <see cref="LedgerCodes"/>.</param>
/// <param name="Field">The input field at fault.</param>
[EventContract("transaction_rejected")]
public sealed record TransactionRejected(string Id, string ContentHash, string Code, string? Field = null) : ILedgerEvent;

/// <summary>The account neither pays nor is paid until it is unfrozen.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Reason">Why: power is visible.</param>
[EventContract("account_frozen")]
public sealed record AccountFrozen(string Id, string Code, string Asset, string Reason) : ILedgerEvent;

/// <summary>The account takes part again.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Reason">Why: power is visible.</param>
[EventContract("account_unfrozen")]
public sealed record AccountUnfrozen(string Id, string Code, string Asset, string Reason) : ILedgerEvent;

/// <summary>The account was empty and never takes part again.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Reason">Why: power is visible.</param>
[EventContract("account_closed")]
public sealed record AccountClosed(string Id, string Code, string Asset, string Reason) : ILedgerEvent;

/// <summary>The least balance changed.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Floor">Base units; null = unbounded.</param>
/// <param name="Reason">Why: power is visible.</param>
[EventContract("floor_changed")]
public sealed record FloorChanged(string Id, string Code, string Asset, long? Floor, string Reason) : ILedgerEvent;

/// <summary>Part of an account's balance is promised. The event's journal version names the hold.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Kind">What the money is held for, snake_case.</param>
/// <param name="Code">Code of the account whose money is held.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Amount">Base units, at least 1.</param>
/// <param name="Deadline">The last moment at which it can be captured.</param>
/// <param name="Reference">The business object behind it.</param>
/// <param name="Metadata">Free text pairs of the caller.</param>
[EventContract("funds_held")]
public sealed record FundsHeld(
    string Id,
    string Kind,
    string Code,
    string Asset,
    Amount Amount,
    DateTimeOffset Deadline,
    TransactionReference? Reference = null,
    IReadOnlyDictionary<string, string>? Metadata = null) : ILedgerEvent;

/// <summary>Held money was paid out: the payments moved, and so much is no longer held.</summary>
/// <param name="Id">The request's idempotency key: the transaction's id among its actor's.</param>
/// <param name="Hold">The hold: the journal version of its <see cref="FundsHeld"/>.</param>
/// <param name="Kind">The hold's.</param>
/// <param name="Code">Code of the account that paid.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Payments">As asked, in order.</param>
/// <param name="Finish">True = as asked, what was left was released.</param>
/// <param name="Released">Base units that went back to the account because of <paramref name="Finish"/>.</param>
/// <param name="Reference">The hold's.</param>
/// <param name="Opened">Accounts that this opened (floor 0), before its payments.</param>
/// <param name="ToSuspense">Indexes of payments whose payee was frozen or closed: paid into its suspense account.</param>
[EventContract("hold_captured")]
public sealed record HoldCaptured(
    string Id,
    long Hold,
    string Kind,
    string Code,
    string Asset,
    IReadOnlyList<HoldPayment> Payments,
    bool Finish,
    Amount Released,
    TransactionReference? Reference = null,
    IReadOnlyList<AccountKey>? Opened = null,
    IReadOnlyList<int>? ToSuspense = null) : ILedgerEvent;

/// <summary>What was left of a hold is free again.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Hold">The hold: the journal version of its <see cref="FundsHeld"/>.</param>
/// <param name="Code">Code of the account.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Amount">Base units that went back, at least 1.</param>
[EventContract("hold_released")]
public sealed record HoldReleased(string Id, long Hold, string Code, string Asset, Amount Amount) : ILedgerEvent;

/// <summary>The deadline of a hold passed; what was left of it is free again.</summary>
/// <param name="Id">The request's idempotency key.</param>
/// <param name="Hold">The hold: the journal version of its <see cref="FundsHeld"/>.</param>
/// <param name="Code">Code of the account.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Amount">Base units that went back, at least 1.</param>
[EventContract("hold_expired")]
public sealed record HoldExpired(string Id, long Hold, string Code, string Asset, Amount Amount) : ILedgerEvent;

/// <summary>Money of an earlier transaction went back, whole or in part.</summary>
/// <param name="Id">The request's idempotency key: the reversal's id among its actor's.</param>
/// <param name="Transaction">The journal version of what is reversed.</param>
/// <param name="Reason">Why: power is visible.</param>
/// <param name="Parts">As asked; null = all that was not reversed yet.</param>
/// <param name="Reversed">What of which posting went back, in the order of <paramref name="Postings"/>.</param>
/// <param name="Postings">What moved: from where the money had gone, to where it had come from.</param>
/// <param name="Reference">That of the reversed transaction.</param>
/// <param name="Opened">Accounts that this opened (floor 0), before its postings.</param>
/// <param name="ToSuspense">Indexes of postings whose payee was frozen or closed: paid into its suspense account.</param>
[EventContract("transaction_reversed")]
public sealed record TransactionReversed(
    string Id,
    long Transaction,
    string Reason,
    IReadOnlyList<ReversalPart>? Parts,
    IReadOnlyList<ReversalPart> Reversed,
    IReadOnlyList<Posting> Postings,
    TransactionReference? Reference = null,
    IReadOnlyList<AccountKey>? Opened = null,
    IReadOnlyList<int>? ToSuspense = null) : ILedgerEvent;
