using GraphQL;
using Lumora.Api.Governance;
using Lumora.Domain.Governance;
using Lumora.Domain.Kernel;
using Lumora.Projections.Governance;

namespace Lumora.Api.GraphQL;

/// <summary>What a steward asked for and a second one approves. It happens with the approval, and once.</summary>
/// <param name="Id">The approval's id, made of the requester and their idempotency key.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Action">What is asked for.</param>
/// <param name="Requester">The participant id of the steward who asked.</param>
/// <param name="Reason">Why they asked.</param>
/// <param name="IdempotencyKey">The requester's key: the id of what is done among theirs.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="ApprovableUntil">The last moment at which it can be approved.</param>
/// <param name="DecidedBy">The participant id of who approved, declined or withdrew; null while nobody did.</param>
/// <param name="DecidedAt">When that was.</param>
/// <param name="DeclineReason">Why it was declined or withdrawn.</param>
/// <param name="FailureCode">Why it could not be done although it was approved: the ledger's code.</param>
[Name("Approval")]
public sealed record ApprovalInfo(
    [property: Id] string Id,
    ApprovalState State,
    GovernedAction Action,
    [property: Id] string Requester,
    string Reason,
    string IdempotencyKey,
    DateTimeOffset RequestedAt,
    DateTimeOffset ApprovableUntil,
    [property: Id] string? DecidedBy,
    DateTimeOffset? DecidedAt,
    string? DeclineReason,
    string? FailureCode)
{
    internal static ApprovalInfo Of(Approval approval, DateTimeOffset now) => new(
        approval.ApprovalId, approval.StateAt(now), approval.Action, approval.RequestedBy, approval.Action.Reason, approval.Key,
        approval.RequestedAt, approval.ApprovableUntil, approval.DecidedBy, approval.DecidedAt, approval.DeclineReason,
        approval.FailureCode);
}

/// <summary>A request to approve.</summary>
/// <param name="ApprovalId">The approval.</param>
public sealed record ApproveInput([property: Id] string ApprovalId);

/// <summary>A request to decline, or one's own to withdraw.</summary>
/// <param name="ApprovalId">The approval.</param>
/// <param name="Reason">Why, 1 to 500 characters; it stands in the public log.</param>
public sealed record DeclineApprovalInput([property: Id] string ApprovalId, string Reason);

/// <summary>An approval after a decision.</summary>
/// <param name="Approval">The approval; null when the decision was refused.</param>
/// <param name="Error">Why it was refused; null when it was made.</param>
public sealed record ApprovalPayload(ApprovalInfo? Approval, UserError? Error);

public sealed partial class Query
{
    /// <summary>An approval that stewards and auditors see; null when there is none.</summary>
    /// <param name="id">The approval's id.</param>
    [Allow(Roles.Steward | Roles.Auditor)]
    public static async Task<ApprovalInfo?> Approval(
        [FromServices] ApprovalQueries approvals, [FromServices] TimeProvider clock, [Id] string id, CancellationToken ct) =>
        TypeId.IsValid(Domain.Governance.Approval.IdPrefix, id) && await approvals.FindAsync(id, ct) is { } found
            ? ApprovalInfo.Of(found, clock.Now())
            : null;

    /// <summary>What stewards asked for and others approved, declined or still have to, newest first.</summary>
    /// <param name="state">Only those that stand so now; all when not given.</param>
    [Allow(Roles.Steward | Roles.Auditor)]
    public static async Task<Connection<ApprovalInfo>> Approvals(
        [FromServices] ApprovalQueries approvals, [FromServices] TimeProvider clock, ApprovalState? state, PageRequest page,
        CancellationToken ct)
    {
        var now = clock.Now();
        var range = new ApprovalRange(
            page.Take, ApprovalPlaces.Check(page.After), ApprovalPlaces.Check(page.Before), page.Backward);
        var found = (await approvals.ListAsync(state, range, now, ct)).ToDictionary(row => row.ApprovalId, StringComparer.Ordinal);
        return page.Page([.. found.Values.Select(row => ApprovalInfo.Of(row, now))], row => found[row.Id].Place);
    }
}

public sealed partial class Mutation
{
    /// <summary>
    /// Approves what another steward asked for, and does it in the same transaction. Whoever asked does not approve, nor does who
    /// is no steward any more. Again: the same answer.
    /// </summary>
    /// <param name="input">The approval.</param>
    [Allow(Roles.Steward)]
    public static Task<LedgerPayload> Approve(
        IResolveFieldContext context, [FromServices] Approvals approvals, ApproveInput input, CancellationToken ct) =>
        approvals.ApproveAsync(context.Actor().Id, input.ApprovalId, ct);

    /// <summary>Declines what another steward asked for, or withdraws what you asked for.</summary>
    /// <param name="input">The approval and why.</param>
    [Allow(Roles.Steward)]
    public static async Task<ApprovalPayload> DeclineApproval(
        IResolveFieldContext context, [FromServices] Approvals approvals, DeclineApprovalInput input, CancellationToken ct)
    {
        var declined = await approvals.DeclineAsync(context.Actor().Id, input.ApprovalId, input.Reason, ct);
        return new ApprovalPayload(approvals.Info(declined.Value), UserError.From(declined.Rejection));
    }
}

/// <summary>The cursors of approvals: a time in the wire form, a slash, and the id.</summary>
internal static class ApprovalPlaces
{
    /// <summary><paramref name="place"/>, when it can be one.</summary>
    /// <exception cref="ExecutionError"><c>INVALID_CURSOR</c>.</exception>
    public static string? Check(string? place) =>
        place is null || (place.Split('/') is [var time, var id] && DateTimeScalar.TryRead(time, out var at)
            && at.ToWire() == time && TypeId.IsValid(Domain.Governance.Approval.IdPrefix, id))
            ? place
            : throw LedgerArguments.Refuse(ErrorCodes.InvalidCursor, "The cursor is not one of this list.");
}
