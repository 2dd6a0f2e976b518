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

    /// <summary>Events beside one request.</summary>
    public const int CompanionEventsMax = 64;
}
