using System.Text;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>
/// How money leaves suspense: a steward pays it to the account that could not take it, once that one can, or to where it belongs
/// instead, when that one is closed for good. To the ledger it is a transaction like any other.
/// </summary>
public static class SuspensePayout
{
    /// <summary>The kind of the transaction.</summary>
    public const string Kind = "suspense_payout";

    private const string ReasonKey = "reason";

    /// <summary>The transaction that pays <paramref name="amount"/> of what waits for <paramref name="account"/>.</summary>
    /// <param name="account">Code of the account that could not take the money.</param>
    /// <param name="to">Code of the account that gets it.</param>
    /// <param name="amount">Base units, at least 1.</param>
    /// <param name="asset">What is paid.</param>
    /// <param name="reason">Why, in words that are public.</param>
    public static PostTransaction Of(string account, string to, Amount amount, string asset, string reason) => new(
        Kind, [new Posting(ChartOfAccounts.Suspense(account), to, amount, asset)],
        Metadata: new Dictionary<string, string>(StringComparer.Ordinal) { [ReasonKey] = reason });

    /// <summary>What <paramref name="post"/> pays out; null when it is no payout.</summary>
    public static (string Account, Posting Posting, string Reason)? Read(PostTransaction post) =>
        post is { Kind: Kind, Postings: [var posting], Metadata: { Count: 1 } metadata }
        && ChartOfAccounts.OwnerOfSuspense(posting.From) is { } account
        && metadata.TryGetValue(ReasonKey, out var reason)
            ? (account, posting, reason)
            : null;

    /// <summary>
    /// Why <see cref="Of"/> cannot be asked for so, with the field; null when it can. Money that waits goes to the account it was meant
    /// for, to a participant, or to the treasury.
    /// </summary>
    public static Rejection? Refuse(string account, string to, string reason)
    {
        if (ChartOfAccounts.RuleOf(ChartOfAccounts.Suspense(account)) is null)
            return LedgerCodes.Reject(LedgerCodes.InvalidAccount, "account");
        if (ChartOfAccounts.RuleOf(to) is null)
            return LedgerCodes.Reject(LedgerCodes.InvalidAccount, "to");
        if (to != account && to != ChartOfAccounts.Treasury && !ChartOfAccounts.IsParticipants(to))
            return LedgerCodes.Reject(LedgerCodes.Forbidden, "to");
        return LedgerShape.IsText(reason, LedgerLimits.ReasonLengthMax)
            && ReasonKey.Length + Encoding.UTF8.GetByteCount(reason) <= LedgerLimits.MetadataBytesMax
                ? null
                : LedgerCodes.Reject(LedgerCodes.InvalidRequest, "reason");
    }
}
