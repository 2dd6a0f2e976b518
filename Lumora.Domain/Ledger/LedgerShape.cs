using System.Text;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>
/// The checks of a request that need no state. They are computed anew at each call and never recorded: a request
/// that fails one has not happened.
/// </summary>
public static class LedgerShape
{
    /// <summary>The first fault of <paramref name="request"/>, or null.</summary>
    public static Rejection? Check(LedgerRequest request)
    {
        if (request.Key is null or { Length: 0 or > LedgerLimits.KeyLengthMax } || !request.Key.All(IsVisible))
            return LedgerCodes.Reject(LedgerCodes.InvalidKey, "key");
        if (request.Actor.Id is null or { Length: 0 or > LedgerLimits.ReferenceLengthMax })
            return LedgerCodes.Reject(LedgerCodes.InvalidRequest, "actor");
        return CheckCommand(request.Actor, request.Command) ?? CheckCompanion(request.Companion);
    }

    private static Rejection? CheckCommand(Actor actor, LedgerCommand command) => command switch
    {
        PostTransaction post => CheckTransaction(actor, post),
        OpenAccount open when !ChartOfAccounts.IsSystem(actor) => LedgerCodes.Reject(LedgerCodes.Forbidden, "code"),
        OpenAccount open => CheckAccount(open.Code, open.Asset)
            ?? (ChartOfAccounts.RuleOf(open.Code)!.Opening == Opening.Explicit
                ? null
                : LedgerCodes.Reject(LedgerCodes.InvalidAccount, "code")),
        FreezeAccount freeze => CheckGoverned(actor, freeze.Code, freeze.Asset, freeze.Reason),
        UnfreezeAccount unfreeze => CheckGoverned(actor, unfreeze.Code, unfreeze.Asset, unfreeze.Reason),
        CloseAccount close => CheckGoverned(actor, close.Code, close.Asset, close.Reason),
        ChangeFloor change => CheckGoverned(actor, change.Code, change.Asset, change.Reason),
        HoldFunds hold => CheckHold(hold),
        CaptureHold capture => CheckCapture(actor, capture),
        ReleaseHold => null,
        ExpireHold => ChartOfAccounts.IsSystem(actor) ? null : LedgerCodes.Reject(LedgerCodes.Forbidden),
        ReverseTransaction reverse => CheckReversal(actor, reverse),
        _ => LedgerCodes.Reject(LedgerCodes.InvalidRequest, "command"),
    };

    private static Rejection? CheckHold(HoldFunds hold)
    {
        if (!IsName(hold.Kind))
            return LedgerCodes.Reject(LedgerCodes.InvalidRequest, "kind");
        if (hold.Amount == Amount.Zero)
            return LedgerCodes.Reject(LedgerCodes.InvalidAmount, "amount");
        return CheckAccount(hold.Code, hold.Asset) ?? CheckLabels(hold.Reference, hold.Metadata);
    }

    private static Rejection? CheckCapture(Actor actor, CaptureHold capture)
    {
        if (capture.Payments is null or { Count: 0 })
            return LedgerCodes.Reject(LedgerCodes.InvalidRequest, "payments");
        if (capture.Payments.Count > LedgerLimits.PostingsMax)
            return LedgerCodes.Reject(LedgerCodes.TooManyPostings, "payments");
        for (var i = 0; i < capture.Payments.Count; i++)
        {
            var (to, amount) = capture.Payments[i];
            if (ChartOfAccounts.RuleOf(to ?? "") is not { } payee)
                return LedgerCodes.Reject(LedgerCodes.InvalidAccount, $"payments[{i}].to");
            if (payee.Opening == Opening.Suspense && !ChartOfAccounts.IsSystem(actor))
                return LedgerCodes.Reject(LedgerCodes.Forbidden, $"payments[{i}].to");
            if (amount == Amount.Zero)
                return LedgerCodes.Reject(LedgerCodes.InvalidAmount, $"payments[{i}].amount");
        }

        return null;
    }

    private static Rejection? CheckReversal(Actor actor, ReverseTransaction reverse)
    {
        if (!ChartOfAccounts.MayGovern(actor))
            return LedgerCodes.Reject(LedgerCodes.Forbidden);
        if (!IsText(reverse.Reason, LedgerLimits.ReasonLengthMax))
            return LedgerCodes.Reject(LedgerCodes.InvalidRequest, "reason");
        if (reverse.Parts is not { } parts)
            return null;
        if (parts.Count is 0 or > LedgerLimits.PostingsMax
            || parts.DistinctBy(part => part.Posting).Count() != parts.Count)
            return LedgerCodes.Reject(LedgerCodes.InvalidRequest, "parts");
        for (var i = 0; i < parts.Count; i++)
        {
            if (parts[i].Posting is < 0 or >= LedgerLimits.PostingsMax)
                return LedgerCodes.Reject(LedgerCodes.InvalidRequest, $"parts[{i}].posting");
            if (parts[i].Amount == Amount.Zero)
                return LedgerCodes.Reject(LedgerCodes.InvalidAmount, $"parts[{i}].amount");
        }

        return null;
    }

    private static Rejection? CheckTransaction(Actor actor, PostTransaction post)
    {
        if (!IsName(post.Kind))
            return LedgerCodes.Reject(LedgerCodes.InvalidRequest, "kind");
        if (post.Postings is null or { Count: 0 })
            return LedgerCodes.Reject(LedgerCodes.InvalidRequest, "postings");
        if (post.Postings.Count > LedgerLimits.PostingsMax)
            return LedgerCodes.Reject(LedgerCodes.TooManyPostings, "postings");
        for (var i = 0; i < post.Postings.Count; i++)
        {
            if (CheckPosting(actor, post.Postings[i], i) is { } fault)
                return fault;
        }

        return CheckLabels(post.Reference, post.Metadata);
    }

    private static Rejection? CheckLabels(
        TransactionReference? reference, IReadOnlyDictionary<string, string>? metadata)
    {
        if (reference is not null && (!IsName(reference.Type) || !IsText(reference.Id, LedgerLimits.ReferenceLengthMax)))
            return LedgerCodes.Reject(LedgerCodes.InvalidRequest, "reference");
        return metadata is null || (metadata.Sum(SizeOf) <= LedgerLimits.MetadataBytesMax && metadata.All(IsPair))
            ? null
            : LedgerCodes.Reject(LedgerCodes.InvalidRequest, "metadata");
    }

    private static Rejection? CheckPosting(Actor actor, Posting posting, int index)
    {
        if (ChartOfAccounts.RuleOf(posting.From ?? "") is null)
            return LedgerCodes.Reject(LedgerCodes.InvalidAccount, $"postings[{index}].from");
        if (ChartOfAccounts.RuleOf(posting.To ?? "") is not { } payee)
            return LedgerCodes.Reject(LedgerCodes.InvalidAccount, $"postings[{index}].to");
        if (string.Equals(posting.From, posting.To, StringComparison.Ordinal))
            return LedgerCodes.Reject(LedgerCodes.SameAccount, $"postings[{index}].to");
        if (payee.Opening == Opening.Suspense && !ChartOfAccounts.IsSystem(actor))
            return LedgerCodes.Reject(LedgerCodes.Forbidden, $"postings[{index}].to");
        if (posting.Amount == Amount.Zero)
            return LedgerCodes.Reject(LedgerCodes.InvalidAmount, $"postings[{index}].amount");
        return IsAsset(posting.Asset)
            ? null
            : LedgerCodes.Reject(LedgerCodes.InvalidRequest, $"postings[{index}].asset");
    }

    private static Rejection? CheckGoverned(Actor actor, string code, string asset, string reason)
    {
        if (!ChartOfAccounts.MayGovern(actor))
            return LedgerCodes.Reject(LedgerCodes.Forbidden);
        // A payment that could not even be set aside would be refused for good: system postings never fail on their payee.
        if (ChartOfAccounts.RuleOf(code ?? "") is { Opening: Opening.Suspense })
            return LedgerCodes.Reject(LedgerCodes.Forbidden, "code");
        return IsText(reason, LedgerLimits.ReasonLengthMax)
            ? CheckAccount(code!, asset)
            : LedgerCodes.Reject(LedgerCodes.InvalidRequest, "reason");
    }

    private static Rejection? CheckAccount(string code, string asset)
    {
        if (ChartOfAccounts.RuleOf(code ?? "") is null)
            return LedgerCodes.Reject(LedgerCodes.InvalidAccount, "code");
        return IsAsset(asset) ? null : LedgerCodes.Reject(LedgerCodes.InvalidRequest, "asset");
    }

    private static Rejection? CheckCompanion(CompanionEvents? companion)
    {
        if (companion is null)
            return null;
        var sound = companion.Events is { Count: > 0 and <= LedgerLimits.CompanionEventsMax }
            && companion.StreamId is { Length: > 0 and <= LedgerLimits.ReferenceLengthMax }
            && !companion.StreamId.StartsWith("ledger/", StringComparison.Ordinal)
            && companion.ExpectedVersion is null or > 0;
        return sound ? null : LedgerCodes.Reject(LedgerCodes.InvalidRequest, "companion");
    }

    private static int SizeOf(KeyValuePair<string, string> pair) =>
        Encoding.UTF8.GetByteCount(pair.Key) + Encoding.UTF8.GetByteCount(pair.Value);

    private static bool IsPair(KeyValuePair<string, string> pair) =>
        IsText(pair.Key, LedgerLimits.MetadataBytesMax)
        && (pair.Value is "" || IsText(pair.Value, LedgerLimits.MetadataBytesMax));

    // No control characters (PostgreSQL's jsonb cannot hold U+0000) and no half surrogate pairs (no UTF-8 has them).
    internal static bool IsText(string? text, int lengthMax)
    {
        if (text is null || text.Length == 0 || text.Length > lengthMax)
            return false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsControl(rune) || rune == Rune.ReplacementChar)
                return false;
        }

        return true;
    }

    private static bool IsVisible(char c) => c is > ' ' and < (char)127;

    private static bool IsName(string? name) => name is { Length: > 0 and <= LedgerLimits.NameLengthMax }
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_');

    private static bool IsAsset(string? asset) => asset is { Length: > 0 and <= 12 }
        && asset.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c));
}
