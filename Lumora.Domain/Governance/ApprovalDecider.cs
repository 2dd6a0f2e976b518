using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Governance;

/// <summary>Why an approval is not given, declined or asked for. Codes are stable.</summary>
public static class ApprovalCodes
{
    /// <summary>The actor is no steward now.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>No such approval.</summary>
    public const string NotFound = "approval_not_found";

    /// <summary>It waits for a second steward; nothing has happened.</summary>
    public const string Pending = "approval_pending";

    /// <summary>Whoever asked approves.</summary>
    public const string OwnRequest = "own_request";

    /// <summary>Whoever asked is no steward any more.</summary>
    public const string RequesterNotSteward = "requester_not_steward";

    /// <summary>Its time is over.</summary>
    public const string Expired = "approval_expired";

    /// <summary>It was declined or withdrawn.</summary>
    public const string Declined = "approval_declined";

    /// <summary>It was granted, so it cannot be declined.</summary>
    public const string Granted = "approval_granted";

    /// <summary>It was approved and could not be done, so it cannot be declined.</summary>
    public const string Failed = "approval_failed";

    /// <summary>Declining needs a reason.</summary>
    public const string ReasonRequired = "reason_required";

    /// <summary>Too many wait already.</summary>
    public const string TooMany = "too_many_approvals";

    /// <summary>The rejection of <paramref name="code"/> in its one wording.</summary>
    public static Rejection Reject(string code, string? field = null) => new(code, MessageOf(code), field);

    private static string MessageOf(string code) => code switch
    {
        Forbidden => "Only stewards do this, and you are none now.",
        NotFound => "There is no such approval.",
        Pending => "Nothing has happened: another steward has to approve it first.",
        OwnRequest => "Whoever asked does not approve: another steward does.",
        RequesterNotSteward => "Whoever asked is no steward any more, so there is nobody to approve it for.",
        Expired => "Nobody approved it in time. Ask again with a new key.",
        Declined => "It was declined or withdrawn. Ask again with a new key.",
        Granted => "It was approved and is done.",
        Failed => "It was approved and could not be done.",
        ReasonRequired => $"Give a reason of at most {LedgerLimits.ReasonLengthMax} characters; it becomes public.",
        TooMany => "Too many requests wait for an approval: approve or decline some of them first.",
        _ => code,
    };
}

/// <summary>
/// The rules of the second approval. Actors come with the roles that they have at this moment, not with those of a token. What an
/// accepted decision without events means is in the state: it was decided before, and stays so.
/// </summary>
public static class ApprovalDecider
{
    /// <summary>How long a request can be approved.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    /// <summary>Asks for what <paramref name="command"/> does; nothing happens when the same was asked under this key.</summary>
    public static Decision Request(Approval? state, Actor requester, string key, LedgerCommand command, DateTimeOffset now)
    {
        if (state is not null)
            return Repeat(state, command);
        if (!requester.Has(Roles.Steward))
            return Reject(ApprovalCodes.Forbidden);
        return Decision.Accept(new ApprovalRequested(
            Approval.IdOf(requester.Id, key), requester.Id, key, GovernedActions.Of(command), now, now + Lifetime));
    }

    /// <summary>
    /// Approves. The event is committed with the effect, or not at all. Decided already: nothing happens, whoever asked.
    /// </summary>
    public static Decision Grant(Approval? state, Actor second, Actor requester, DateTimeOffset now) => state switch
    {
        _ when !second.Has(Roles.Steward) => Reject(ApprovalCodes.Forbidden),
        null => Reject(ApprovalCodes.NotFound, "approvalId"),
        _ when state.RequestedBy == second.Id => Reject(ApprovalCodes.OwnRequest),
        _ when state.StateAt(now) == ApprovalState.Expired => Reject(ApprovalCodes.Expired),
        { State: ApprovalState.Declined } => Reject(ApprovalCodes.Declined),
        { State: not ApprovalState.Pending } => Decision.Accept(),
        _ when requester.Id != state.RequestedBy || !requester.Has(Roles.Steward) =>
            Reject(ApprovalCodes.RequesterNotSteward),
        _ => Decision.Accept(new ApprovalGranted(state.ApprovalId, second.Id, now)),
    };

    /// <summary>Records that the ledger refused what <paramref name="second"/> approved; nothing when it was decided otherwise.</summary>
    public static Decision Fail(Approval? state, Actor second, Rejection refused, DateTimeOffset now) => state switch
    {
        null => Reject(ApprovalCodes.NotFound, "approvalId"),
        { State: ApprovalState.Pending } => Decision.Accept(
            new ApprovalFailed(state.ApprovalId, second.Id, refused.Code, refused.Field, now)),
        _ => Decision.Accept(),
    };

    /// <summary>Declines; for the requester, withdraws. Declined already: nothing happens, the first reason stands.</summary>
    public static Decision Decline(Approval? state, Actor actor, string reason, DateTimeOffset now) => state switch
    {
        _ when !actor.Has(Roles.Steward) && state?.RequestedBy != actor.Id => Reject(ApprovalCodes.Forbidden),
        null => Reject(ApprovalCodes.NotFound, "approvalId"),
        _ when string.IsNullOrWhiteSpace(reason) || !LedgerShape.IsText(reason, LedgerLimits.ReasonLengthMax) =>
            Reject(ApprovalCodes.ReasonRequired, "reason"),
        { State: ApprovalState.Declined } => Decision.Accept(),
        { State: ApprovalState.Granted } => Reject(ApprovalCodes.Granted),
        { State: ApprovalState.Failed } => Reject(ApprovalCodes.Failed),
        _ when state.StateAt(now) == ApprovalState.Expired => Reject(ApprovalCodes.Expired),
        _ => Decision.Accept(new ApprovalDeclined(state.ApprovalId, actor.Id, reason, now)),
    };

    private static Decision Repeat(Approval state, LedgerCommand command)
    {
        var asked = RequestDigest.Of(state.Action.ToCommand());
        return asked.Equals(RequestDigest.Of(command))
            ? Decision.Accept()
            : new Decision.Rejected(LedgerCodes.Reject(LedgerCodes.IdempotencyConflict, asked.FirstDifference(command)));
    }

    private static Decision.Rejected Reject(string code, string? field = null) => new(ApprovalCodes.Reject(code, field));
}
