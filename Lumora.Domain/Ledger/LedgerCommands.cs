using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>Money from one account to another.</summary>
/// <param name="From">Code of the payer's account.</param>
/// <param name="To">Code of the payee's account; never the payer's.</param>
/// <param name="Amount">Base units, at least 1.</param>
/// <param name="Asset">What is moved, "LMR" by default.</param>
public sealed record Posting(string From, string To, Amount Amount, string Asset = ChartOfAccounts.Lmr);

/// <summary>The business object behind a transaction.</summary>
/// <param name="Type">snake_case, for example <c>purchase</c>.</param>
/// <param name="Id">Its id.</param>
public sealed record TransactionReference(string Type, string Id);

/// <summary>What can be asked of the ledger.</summary>
public abstract record LedgerCommand
{
    private protected LedgerCommand()
    {
    }
}

/// <summary>Moves money: all postings or none; floors are checked after the last posting.</summary>
/// <param name="Kind">What for, snake_case, up to 64 characters.</param>
/// <param name="Postings">1 to <see cref="LedgerLimits.PostingsMax"/>, in order.</param>
/// <param name="Reference">The business object behind it.</param>
/// <param name="Metadata">Free text pairs, up to <see cref="LedgerLimits.MetadataBytesMax"/> bytes of UTF-8 in all.</param>
public sealed record PostTransaction(
    string Kind,
    IReadOnlyList<Posting> Postings,
    TransactionReference? Reference = null,
    IReadOnlyDictionary<string, string>? Metadata = null) : LedgerCommand;

/// <summary>Opens an account with the floor that <see cref="ChartOfAccounts"/> gives its code.</summary>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The asset it counts.</param>
public sealed record OpenAccount(string Code, string Asset = ChartOfAccounts.Lmr) : LedgerCommand;

/// <summary>Stops an account. Stewards and the network only.</summary>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Reason">1 to 500 characters.</param>
public sealed record FreezeAccount(string Code, string Asset, string Reason) : LedgerCommand;

/// <summary>Lets a frozen account take part again. Stewards and the network only.</summary>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Reason">1 to 500 characters.</param>
public sealed record UnfreezeAccount(string Code, string Asset, string Reason) : LedgerCommand;

/// <summary>Ends an empty account for good. Stewards and the network only.</summary>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Reason">1 to 500 characters.</param>
public sealed record CloseAccount(string Code, string Asset, string Reason) : LedgerCommand;

/// <summary>Sets the least balance of an account. Stewards and the network only.</summary>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">The account's asset.</param>
/// <param name="Floor">Base units; null = unbounded.</param>
/// <param name="Reason">1 to 500 characters.</param>
public sealed record ChangeFloor(string Code, string Asset, long? Floor, string Reason) : LedgerCommand;

/// <summary>
/// Promises money of an account: it stays there and can go nowhere but through captures of the hold, until the hold
/// is captured whole, released, or expired. The hold is named by the journal version of its <see cref="FundsHeld"/>.
/// </summary>
/// <param name="Kind">What for, snake_case, up to 64 characters; captures carry it on.</param>
/// <param name="Code">Code of the account whose money is held.</param>
/// <param name="Amount">Base units, at least 1.</param>
/// <param name="Deadline">
/// The last moment at which it can be captured, truncated to microseconds; after the ledger's time and at most
/// <see cref="LedgerLimits.HoldDaysMax"/> days after it.
/// </param>
/// <param name="Reference">The business object behind it; captures carry it on.</param>
/// <param name="Metadata">Free text pairs, up to <see cref="LedgerLimits.MetadataBytesMax"/> bytes of UTF-8 in all.</param>
/// <param name="Asset">The account's asset.</param>
public sealed record HoldFunds(
    string Kind,
    string Code,
    Amount Amount,
    DateTimeOffset Deadline,
    TransactionReference? Reference = null,
    IReadOnlyDictionary<string, string>? Metadata = null,
    string Asset = ChartOfAccounts.Lmr) : LedgerCommand;

/// <summary>A payee of a capture.</summary>
/// <param name="To">Code of the payee's account.</param>
/// <param name="Amount">Base units, at least 1.</param>
public sealed record HoldPayment(string To, Amount Amount);

/// <summary>
/// Pays held money out: whole, in part, and repeatedly up to what is held. For the hold's maker and the network.
/// </summary>
/// <param name="Hold">The hold: the journal version of its <see cref="FundsHeld"/>.</param>
/// <param name="Payments">1 to <see cref="LedgerLimits.PostingsMax"/> payees, in order.</param>
/// <param name="Finish">True = what is left afterwards is released.</param>
public sealed record CaptureHold(long Hold, IReadOnlyList<HoldPayment> Payments, bool Finish = false) : LedgerCommand;

/// <summary>Gives what is left of a hold back to its account. For the hold's maker and the network.</summary>
/// <param name="Hold">The hold: the journal version of its <see cref="FundsHeld"/>.</param>
public sealed record ReleaseHold(long Hold) : LedgerCommand;

/// <summary>Ends a hold whose deadline has passed. The network only; too early is no outcome.</summary>
/// <param name="Hold">The hold: the journal version of its <see cref="FundsHeld"/>.</param>
public sealed record ExpireHold(long Hold) : LedgerCommand;

/// <summary>A part of a transaction that is reversed.</summary>
/// <param name="Posting">Index of the posting, from 0.</param>
/// <param name="Amount">Base units, at least 1, at most what of the posting is not reversed yet.</param>
public sealed record ReversalPart(int Posting, Amount Amount);

/// <summary>
/// Moves money back to where it came from; together the reversals of a transaction never move more than it did.
/// Stewards and the network only.
/// </summary>
/// <param name="Transaction">
/// The journal version of the <see cref="TransactionPosted"/> or <see cref="HoldCaptured"/> that is reversed.
/// </param>
/// <param name="Reason">1 to 500 characters.</param>
/// <param name="Parts">What of it; null = all that is not reversed yet.</param>
public sealed record ReverseTransaction(
    long Transaction, string Reason, IReadOnlyList<ReversalPart>? Parts = null) : LedgerCommand;

/// <summary>
/// Events of another stream that stand or fall with the ledger's own: they are committed in the same transaction
/// when the command is accepted, and not at all when it is refused.
/// </summary>
/// <param name="StreamId">The other stream.</param>
/// <param name="StreamType">Its aggregate type.</param>
/// <param name="ExpectedVersion">The version that the caller decided on; null = the events start the stream.</param>
/// <param name="Events">1 to <see cref="LedgerLimits.CompanionEventsMax"/> facts.</param>
public sealed record CompanionEvents(
    string StreamId, Type StreamType, long? ExpectedVersion, IReadOnlyList<object> Events);

/// <summary>One request to the ledger.</summary>
/// <param name="Actor">Who asks; stands in the metadata of every event that follows.</param>
/// <param name="Key">
/// The caller's idempotency key, 1 to 128 visible ASCII characters. The same key with the same command gives the
/// first outcome again, forever; companion events are no part of that comparison.
/// </param>
/// <param name="Command">What is asked.</param>
/// <param name="Companion">Events of one other stream to commit with it.</param>
public sealed record LedgerRequest(Actor Actor, string Key, LedgerCommand Command, CompanionEvents? Companion = null);

/// <summary>Bounds of a request.</summary>
public static class LedgerLimits
{
    /// <summary>Postings of a transaction.</summary>
    public const int PostingsMax = 64;

    /// <summary>Keys and values of a transaction's metadata together, in bytes of UTF-8.</summary>
    public const int MetadataBytesMax = 1_024;

    /// <summary>Characters of an idempotency key.</summary>
    public const int KeyLengthMax = 128;

    /// <summary>Characters of an account's code.</summary>
    public const int CodeLengthMax = 160;

    /// <summary>Characters of kind, reference type and asset alike.</summary>
    public const int NameLengthMax = 64;

    /// <summary>Characters of a reference's id.</summary>
    public const int ReferenceLengthMax = 200;

    /// <summary>Characters of a reason.</summary>
    public const int ReasonLengthMax = 500;

    /// <summary>Days from the ledger's time to a hold's deadline.</summary>
    public const int HoldDaysMax = 400;

    /// <summary>Requests of one bulk call.</summary>
    public const int BulkMax = 8_192;

    /// <summary>Events beside one request.</summary>
    public const int CompanionEventsMax = 64;
}
