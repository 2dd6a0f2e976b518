using GraphQL;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Api.GraphQL;

/// <summary>What the ledger recorded.</summary>
/// <param name="TransactionId">The idempotency key of whoever asked for it: the transaction's id among theirs.</param>
/// <param name="JournalVersion">Its place in the journal; holds and reversals name it. Null in a dry run, which writes nothing.</param>
/// <param name="At">The ledger's time of it.</param>
/// <param name="Replayed">The effect is of an earlier, equal request with this key.</param>
[Name("LedgerOutcome")]
public sealed record LedgerOutcomeInfo(string TransactionId, long? JournalVersion, DateTimeOffset At, bool Replayed);

/// <summary>The ledger's answer: an outcome, or an error.</summary>
/// <param name="Outcome">What was recorded; null where there is an error.</param>
/// <param name="Error">
/// Why it has no effect. After <c>busy</c> nothing was decided, after <c>unavailable</c> nobody knows: repeat the same request. After
/// <c>approval_pending</c> nothing has happened until another steward approves.
/// </param>
/// <param name="RetryAfterMs">After <c>busy</c> and <c>unavailable</c>: how long to wait, in milliseconds.</param>
/// <param name="Approval">For what needs two stewards: their approval. Null where a steward acts alone, and for all else.</param>
public sealed record LedgerPayload(
    LedgerOutcomeInfo? Outcome, UserError? Error, int? RetryAfterMs, ApprovalInfo? Approval = null)
{
    /// <summary>The answer, outcome or error, is that of an earlier, equal request with this key: whoever wants another one takes a new key.</summary>
    public bool Replayed { get; init; }

    internal const string Busy = "busy";
    internal const string Unavailable = "unavailable";
    private const int UnavailableRetryMs = 1_000;

    /// <summary>The outcome is unknown: the database was away for too long.</summary>
    internal static LedgerPayload Unknown { get; } = new(
        null, new UserError(Unavailable, "The ledger could not commit: repeat the same request with the same key.", null),
        UnavailableRetryMs);

    /// <summary>Nothing was asked, because of <paramref name="rejection"/>.</summary>
    internal static LedgerPayload Refused(Rejection rejection) => new(null, UserError.From(Named(rejection)), null);

    internal static LedgerPayload Of(LedgerOutcome outcome, bool dryRun) => outcome switch
    {
        LedgerOutcome.Posted posted => new(
            new LedgerOutcomeInfo(
                posted.TransactionId, dryRun && !posted.Replayed ? null : posted.JournalVersion, posted.At, posted.Replayed),
            null, null)
        { Replayed = posted.Replayed },
        LedgerOutcome.Refused refused => Refused(refused.Rejection) with { Replayed = refused.Replayed },
        LedgerOutcome.Busy busy => new(
            null, new UserError(Busy, "The ledger has too much to do, or you were refused too often: repeat the same request later.", null),
            (int)Math.Ceiling(Math.Clamp(busy.RetryAfter.TotalMilliseconds, 1, int.MaxValue))),
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome.GetType().Name, "unknown outcome"),
    };

    /// <summary>The same answer with the field at fault as <paramref name="rename"/> calls it.</summary>
    internal LedgerPayload Renamed(Func<string, string> rename) =>
        Error is { Field: { } field } ? this with { Error = Error with { Field = rename(field) } } : this;

    // The ledger's names of fields are not always those of the inputs.
    private static Rejection Named(Rejection rejection) => rejection.Field switch
    {
        null => rejection,
        "key" => rejection with { Field = "idempotencyKey" },
        "code" => rejection with { Field = "account" },
        var field when field.StartsWith("postings", StringComparison.Ordinal) =>
            rejection with { Field = "payments" + field["postings".Length..] },
        _ => rejection,
    };
}

/// <summary>The answers to a bulk call.</summary>
/// <param name="Results">An answer to each transfer, in their order; empty where there is an error.</param>
/// <param name="Error">Why nothing of the call was looked at.</param>
public sealed record LedgerBulkPayload(IReadOnlyList<LedgerPayload> Results, UserError? Error);
