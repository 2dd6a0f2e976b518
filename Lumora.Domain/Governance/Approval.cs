using System.Text.Json;
using System.Text.Json.Serialization;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Governance;

/// <summary>Where an approval stands.</summary>
public enum ApprovalState
{
    /// <summary>Waits for a second steward; nothing has happened.</summary>
    Pending,

    /// <summary>A second steward approved, and it is done.</summary>
    Granted,

    /// <summary>A steward declined, or the requester withdrew.</summary>
    Declined,

    /// <summary>A second steward approved, and it could not be done.</summary>
    Failed,

    /// <summary>Nobody approved in time. Follows from the time and is stored nowhere.</summary>
    Expired,
}

/// <summary>A request for an act of power that needs two stewards, folded from <c>approval/{id}</c>.</summary>
public sealed record Approval
{
    /// <summary>The prefix of approval ids.</summary>
    public const string IdPrefix = "approval";

    /// <summary>The stream, <c>approval/{id}</c>.</summary>
    public required string Id { get; init; }

    /// <summary><c>approval_…</c>.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>The steward who asked.</summary>
    public required string RequestedBy { get; init; }

    /// <summary>The requester's idempotency key.</summary>
    public required string Key { get; init; }

    /// <summary>What is asked for.</summary>
    public required GovernedAction Action { get; init; }

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset RequestedAt { get; init; }

    /// <summary>The last moment at which it can be approved.</summary>
    public required DateTimeOffset ApprovableUntil { get; init; }

    /// <summary>What the events say; never <see cref="ApprovalState.Expired"/>. See <see cref="StateAt"/>.</summary>
    [JsonConverter(typeof(WireEnumConverter<ApprovalState>))]
    public ApprovalState State { get; init; }

    /// <summary>Who approved, declined or withdrew; null while it is pending.</summary>
    public string? DecidedBy { get; init; }

    /// <summary>When that was.</summary>
    public DateTimeOffset? DecidedAt { get; init; }

    /// <summary>Why it was declined or withdrawn.</summary>
    public string? DeclineReason { get; init; }

    /// <summary>Why it could not be done: a code of <see cref="LedgerCodes"/>.</summary>
    public string? FailureCode { get; init; }

    /// <summary>The field at fault, where there is one.</summary>
    public string? FailureField { get; init; }

    /// <summary>
    /// Its place in lists: the time until which it can be approved, in the wire form, then its id. Texts in the order of these times,
    /// so that one index finds a page, and what of it is expired.
    /// </summary>
    public string Place => $"{ApprovableUntil.ToWire()}/{ApprovalId}";

    /// <summary>Its place in the list of a <see cref="State"/>.</summary>
    public string PlaceInState => $"{NameOf(State)}/{Place}";

    /// <summary>The id of what <paramref name="actor"/> asks for under <paramref name="key"/>.</summary>
    public static string IdOf(string actor, string key) => TypeId.Format(IdPrefix, OutcomeId.Of(actor, key));

    /// <summary>The wire name of a state.</summary>
    public static string NameOf(ApprovalState state) => JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString());

    /// <summary>The stream of an approval.</summary>
    public static string StreamOf(string approvalId) => $"{IdPrefix}/{approvalId}";

    /// <summary>Where it stands at <paramref name="now"/>.</summary>
    public ApprovalState StateAt(DateTimeOffset now) =>
        State == ApprovalState.Pending && now > ApprovableUntil ? ApprovalState.Expired : State;

    /// <summary>The state after <paramref name="event"/>.</summary>
    public static Approval? Evolve(Approval? state, object @event) => (state, @event) switch
    {
        (null, ApprovalRequested e) => new Approval
        {
            Id = StreamOf(e.ApprovalId),
            ApprovalId = e.ApprovalId,
            RequestedBy = e.RequestedBy,
            Key = e.Key,
            Action = e.Action,
            RequestedAt = e.RequestedAt,
            ApprovableUntil = e.ApprovableUntil,
        },
        ({ } known, ApprovalGranted e) => known with
        {
            State = ApprovalState.Granted,
            DecidedBy = e.GrantedBy,
            DecidedAt = e.GrantedAt,
        },
        ({ } known, ApprovalDeclined e) => known with
        {
            State = ApprovalState.Declined,
            DecidedBy = e.DeclinedBy,
            DecidedAt = e.DeclinedAt,
            DeclineReason = e.Reason,
        },
        ({ } known, ApprovalFailed e) => known with
        {
            State = ApprovalState.Failed,
            DecidedBy = e.ApprovedBy,
            DecidedAt = e.FailedAt,
            FailureCode = e.Code,
            FailureField = e.Field,
        },
        _ => state,
    };
}
