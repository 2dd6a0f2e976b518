using System.Text.Json.Serialization;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Governance;

/// <summary>What a steward asks for and a second one approves.</summary>
public enum GovernedActionKind
{
    /// <summary>Stops an account.</summary>
    FreezeAccount,

    /// <summary>Lets a frozen account take part again.</summary>
    UnfreezeAccount,

    /// <summary>Ends an empty account for good.</summary>
    CloseAccount,

    /// <summary>Changes how far an account may go down.</summary>
    ChangeFloor,

    /// <summary>Sends the money of a transaction back.</summary>
    ReverseTransaction,

    /// <summary>Pays what waits in suspense.</summary>
    PayOutSuspense,
}

/// <summary>An act of power with its whole content.</summary>
/// <param name="Kind">What is to be done.</param>
/// <param name="Reason">Why, in words that are public.</param>
/// <param name="Account">Code of the account that it is about, for a payout the one whose money waits; null for a reversal.</param>
/// <param name="Asset">The account's asset; null for a reversal.</param>
/// <param name="Floor">For a change of the floor, in base units; null = unbounded.</param>
/// <param name="Transaction">For a reversal: the journal version of the transaction.</param>
/// <param name="Parts">For a reversal of parts; null = all that is not reversed yet.</param>
/// <param name="To">For a payout: code of the account that is paid.</param>
/// <param name="Amount">For a payout, in base units.</param>
public sealed record GovernedAction(
    [property: JsonConverter(typeof(WireEnumConverter<GovernedActionKind>))] GovernedActionKind Kind,
    string Reason,
    string? Account = null,
    string? Asset = null,
    long? Floor = null,
    long? Transaction = null,
    IReadOnlyList<ReversalPart>? Parts = null,
    string? To = null,
    Amount? Amount = null);

/// <summary>
/// A steward asks for an act of power, and a second one has to approve it. Nothing has happened yet. Stream <c>approval/{id}</c>.
/// </summary>
/// <param name="ApprovalId"><c>approval_…</c>, made of the requester and the key.</param>
/// <param name="RequestedBy">The steward's participant id.</param>
/// <param name="Key">The requester's idempotency key, under which the act is done.</param>
/// <param name="Action">What is asked for.</param>
/// <param name="RequestedAt">When.</param>
/// <param name="ApprovableUntil">The last moment at which it can be approved.</param>
[EventContract("approval_requested")]
public sealed record ApprovalRequested(
    string ApprovalId, string RequestedBy, string Key, GovernedAction Action, DateTimeOffset RequestedAt,
    DateTimeOffset ApprovableUntil);

/// <summary>A second steward approved. Committed together with the effect, which is an event of the ledger's journal.</summary>
/// <param name="ApprovalId">The approval.</param>
/// <param name="GrantedBy">The second steward's participant id; never the requester's.</param>
/// <param name="GrantedAt">When.</param>
[EventContract("approval_granted")]
public sealed record ApprovalGranted(string ApprovalId, string GrantedBy, DateTimeOffset GrantedAt);

/// <summary>A steward declined, or the requester withdrew. Nothing happens any more.</summary>
/// <param name="ApprovalId">The approval.</param>
/// <param name="DeclinedBy">The participant id of who declined; the requester's when it was withdrawn.</param>
/// <param name="Reason">Why, in words that are public.</param>
/// <param name="DeclinedAt">When.</param>
[EventContract("approval_declined")]
public sealed record ApprovalDeclined(string ApprovalId, string DeclinedBy, string Reason, DateTimeOffset DeclinedAt);

/// <summary>A second steward approved, and the ledger refused what was asked for. Nothing happens any more.</summary>
/// <param name="ApprovalId">The approval.</param>
/// <param name="ApprovedBy">The second steward's participant id.</param>
/// <param name="Code">The ledger's code, for example <c>unknown_account</c>.</param>
/// <param name="Field">The field at fault, where there is one.</param>
/// <param name="FailedAt">When.</param>
[EventContract("approval_failed")]
public sealed record ApprovalFailed(string ApprovalId, string ApprovedBy, string Code, string? Field, DateTimeOffset FailedAt);
