using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>The ledger's answer to a request.</summary>
public abstract record LedgerOutcome
{
    private LedgerOutcome()
    {
    }

    /// <summary>The command took effect and is durable.</summary>
    /// <param name="TransactionId">The request's key.</param>
    /// <param name="JournalVersion">Where it stands in the journal.</param>
    /// <param name="At">The ledger's time of it, never before that of the entry ahead of it.</param>
    /// <param name="Replayed">True when the effect is of an earlier, equal request.</param>
    public sealed record Posted(string TransactionId, long JournalVersion, DateTimeOffset At, bool Replayed)
        : LedgerOutcome;

    /// <summary>The command has no effect.</summary>
    /// <param name="Rejection">Why, with a code of <see cref="LedgerCodes"/>.</param>
    /// <param name="Replayed">True when it repeats the recorded refusal of an earlier, equal request.</param>
    public sealed record Refused(Rejection Rejection, bool Replayed) : LedgerOutcome;

    /// <summary>Nothing was decided: repeat the same request later.</summary>
    /// <param name="RetryAfter">How long to wait.</param>
    public sealed record Busy(TimeSpan RetryAfter) : LedgerOutcome;
}

/// <summary>Why the ledger refuses. Codes are stable; messages are for people.</summary>
public static class LedgerCodes
{
    /// <summary>Recorded: no such account.</summary>
    public const string UnknownAccount = "unknown_account";

    /// <summary>Recorded: the balance would fall below the floor.</summary>
    public const string InsufficientFunds = "insufficient_funds";

    /// <summary>Recorded: payer or payee is frozen.</summary>
    public const string AccountFrozen = "account_frozen";

    /// <summary>Recorded: payer or payee is closed.</summary>
    public const string AccountClosed = "account_closed";

    /// <summary>Recorded: the account is open already.</summary>
    public const string AccountExists = "account_exists";

    /// <summary>Recorded: only an empty account can be closed.</summary>
    public const string AccountNotEmpty = "account_not_empty";

    /// <summary>Recorded: the account is not frozen.</summary>
    public const string AccountNotFrozen = "account_not_frozen";

    /// <summary>Recorded: a balance would leave 64 bits.</summary>
    public const string Overflow = "overflow";

    /// <summary>Recorded: no such hold, or it was made by somebody else.</summary>
    public const string UnknownHold = "unknown_hold";

    /// <summary>Recorded: the hold's deadline has passed.</summary>
    public const string HoldExpired = "hold_expired";

    /// <summary>Recorded: the hold was captured whole or released.</summary>
    public const string HoldFinished = "hold_finished";

    /// <summary>Recorded: more than what is left of the hold.</summary>
    public const string HoldExceeded = "hold_exceeded";

    /// <summary>Recorded: the deadline is not after the ledger's time, or too far from it.</summary>
    public const string InvalidDeadline = "invalid_deadline";

    /// <summary>Recorded: no such transaction, or one that moved no money or is itself a reversal.</summary>
    public const string UnknownTransaction = "unknown_transaction";

    /// <summary>Recorded: more than what of the transaction is not reversed yet.</summary>
    public const string ReversalExceeded = "reversal_exceeded";

    /// <summary>Not recorded: the hold's deadline is still to come.</summary>
    public const string HoldNotDue = "hold_not_due";

    /// <summary>Not recorded: another request of the same all-or-nothing call was refused.</summary>
    public const string BulkRefused = "bulk_refused";

    /// <summary>The key was used for another content.</summary>
    public const string IdempotencyConflict = "idempotency_conflict";

    /// <summary>The companion's stream is not where the caller believed.</summary>
    public const string CompanionConflict = "companion_conflict";

    /// <summary>Shape: more postings than allowed.</summary>
    public const string TooManyPostings = "too_many_postings";

    /// <summary>Shape: payer and payee are the same.</summary>
    public const string SameAccount = "same_account";

    /// <summary>Shape: an amount below 1.</summary>
    public const string InvalidAmount = "invalid_amount";

    /// <summary>Shape: the idempotency key.</summary>
    public const string InvalidKey = "invalid_key";

    /// <summary>Shape: a code that the chart of accounts does not know.</summary>
    public const string InvalidAccount = "invalid_account";

    /// <summary>Shape: any other field.</summary>
    public const string InvalidRequest = "invalid_request";

    /// <summary>The actor may not ask this.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>Why an account of <paramref name="status"/>, which is not open, takes no part.</summary>
    internal static string Of(AccountStatus status) =>
        status == AccountStatus.Frozen ? AccountFrozen : AccountClosed;

    /// <summary>
    /// True for a refusal that depends on the state and is recorded all the same as little as "busy" is: the same
    /// request may take effect later.
    /// </summary>
    internal static bool IsPassing(string code) => code is HoldNotDue;

    /// <summary>The rejection of <paramref name="code"/> in its one wording, so that a replay reads as the first answer.</summary>
    public static Rejection Reject(string code, string? field = null) => new(code, MessageOf(code), field);

    private static string MessageOf(string code) => code switch
    {
        UnknownAccount => "There is no such account.",
        InsufficientFunds => "The account does not hold enough for this.",
        AccountFrozen => "The account is frozen.",
        AccountClosed => "The account is closed.",
        AccountExists => "The account is open already.",
        AccountNotEmpty => "The account is not empty, so it cannot be closed.",
        AccountNotFrozen => "The account is not frozen.",
        Overflow => "A balance would exceed 64 bits.",
        UnknownHold => "There is no such hold of this actor.",
        HoldExpired => "The hold's deadline has passed.",
        HoldFinished => "The hold is finished: captured whole, or released.",
        HoldExceeded => "That is more than what is left of the hold.",
        InvalidDeadline => $"A deadline lies in the future, at most {LedgerLimits.HoldDaysMax} days ahead.",
        UnknownTransaction => "There is no such transaction that could be reversed.",
        ReversalExceeded => "That is more than what of the transaction is not reversed yet.",
        HoldNotDue => "The hold's deadline is still to come.",
        BulkRefused => "Another request of this all-or-nothing call was refused, so none took effect.",
        IdempotencyConflict => "The key was used before for a request that differs in this field.",
        CompanionConflict => "What this request builds on has changed: read it again and repeat.",
        TooManyPostings => $"A transaction has at most {LedgerLimits.PostingsMax} postings.",
        SameAccount => "Payer and payee are the same account.",
        InvalidAmount => "An amount is at least 1 base unit.",
        InvalidKey => $"An idempotency key is 1 to {LedgerLimits.KeyLengthMax} visible ASCII characters.",
        InvalidAccount => "The chart of accounts knows no such code.",
        InvalidRequest => "The field is missing, too long or malformed.",
        Forbidden => "The actor may not do this.",
        _ => code,
    };
}
