using System.Globalization;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>
/// What people may ask of the ledger by themselves: to pay, promise and pay out their own money, to other participants.
/// The ledger trusts its callers, so whoever lets people in asks here first.
/// </summary>
public static class OwnMoney
{
    /// <summary>The kind of a transfer between participants.</summary>
    public const string TransferKind = "transfer";

    /// <summary>The kind of a hold that a participant makes.</summary>
    public const string HoldKind = "hold";

    /// <summary>Why <paramref name="actor"/> may not ask <paramref name="command"/>; null when it may.</summary>
    /// <param name="actor">A participant.</param>
    /// <param name="command">Of the right shape (<see cref="LedgerShape"/>).</param>
    public static Rejection? Refuse(Actor actor, LedgerCommand command) => command switch
    {
        PostTransaction post => RefuseTransfer(actor, post),
        HoldFunds hold => IsOf(actor, hold.Code) ? null : LedgerCodes.Reject(LedgerCodes.Forbidden, "code"),
        // Whose hold it is, the ledger knows.
        CaptureHold capture => RefusePayees(capture.Payments, payment => payment.To, "payments"),
        ReleaseHold => null,
        _ => LedgerCodes.Reject(LedgerCodes.Forbidden),
    };

    private static Rejection? RefuseTransfer(Actor actor, PostTransaction post)
    {
        for (var i = 0; i < post.Postings.Count; i++)
        {
            if (!IsOf(actor, post.Postings[i].From))
                return LedgerCodes.Reject(LedgerCodes.Forbidden, At("postings", i, "from"));
        }

        return RefusePayees(post.Postings, posting => posting.To, "postings");
    }

    private static Rejection? RefusePayees<T>(IReadOnlyList<T> payments, Func<T, string> payee, string list)
    {
        for (var i = 0; i < payments.Count; i++)
        {
            if (!ChartOfAccounts.IsParticipants(payee(payments[i])))
                return LedgerCodes.Reject(LedgerCodes.Forbidden, At(list, i, "to"));
        }

        return null;
    }

    private static bool IsOf(Actor actor, string code) =>
        string.Equals(code, ChartOfAccounts.Available(actor.Id), StringComparison.Ordinal);

    private static string At(string list, int index, string field) =>
        string.Create(CultureInfo.InvariantCulture, $"{list}[{index}].{field}");
}
