using Lumora.Domain.Cryptography;
using Lumora.Domain.Governance;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Participants;

/// <summary>Who decides on an erasure beside the steward who asks for it.</summary>
/// <param name="HasOther">There is another steward now.</param>
/// <param name="RequesterStands">Whoever asked for it before is a steward now.</param>
public readonly record struct ErasureStewards(bool HasOther, bool RequesterStands);

/// <summary>The rules of the slice. Wire forms are checked and values sealed before; time comes in.</summary>
public static class ParticipantDecider
{
    /// <summary>The actor that grants what the configuration says.</summary>
    public static readonly Actor Configuration = Actor.System("participants");

    /// <summary>Why nothing is sealed for a subject whose key is gone.</summary>
    public static readonly Rejection NoKey =
        new("participant_erased", "This participant's personal data was erased; nothing can be added.");

    private const int ReasonLengthMax = 500;

    /// <summary>Registers a wallet's participant; nothing happens when it is registered.</summary>
    public static Decision Register(Participant? state, string participantId, Sealed wallet, DateTimeOffset at) =>
        state is null ? Decision.Accept(new ParticipantRegistered(participantId, wallet, at)) : Decision.Accept();

    /// <summary>
    /// Makes a steward. Only the configuration may: further ways are for governance, with a second approval.
    /// </summary>
    public static Decision GrantSteward(Participant? state, Actor actor, string reason, DateTimeOffset at) => state switch
    {
        _ when actor != Configuration => Forbidden("Stewards are named by the configuration (Lumora:Stewards)."),
        null => NotFound(),
        { ErasedAt: not null } => Erased(),
        _ when (state.Roles & Roles.Steward) != Roles.None => Decision.Accept(),
        _ => Decision.Accept(new StewardGranted(state.ParticipantId, reason, at)),
    };

    /// <summary>Grants one role; a steward's act, with a reason.</summary>
    public static Decision GrantRole(Participant? state, Actor actor, Roles role, string reason, DateTimeOffset at) =>
        CheckRoleChange(state, actor, role, reason)
        ?? ((state!.Roles & role) != Roles.None
            ? Decision.Accept()
            : Decision.Accept(new RoleGranted(state.ParticipantId, role, reason, at)));

    /// <summary>Takes one role away; a steward's act, with a reason.</summary>
    public static Decision RevokeRole(Participant? state, Actor actor, Roles role, string reason, DateTimeOffset at) =>
        CheckRoleChange(state, actor, role, reason)
        ?? ((state!.Roles & role) == Roles.None
            ? Decision.Accept()
            : Decision.Accept(new RoleRevoked(state.ParticipantId, role, reason, at)));

    /// <summary>Sets where payouts go; for oneself only.</summary>
    public static Decision ChangePayoutAddress(Participant? state, Actor actor, Sealed address, DateTimeOffset at) =>
        CheckOwn(state, actor) ?? Decision.Accept(new PayoutAddressChanged(actor.Id, address, at));

    /// <summary>Sets to whom purchases are encrypted; for oneself only.</summary>
    public static Decision ChangeAgeRecipient(Participant? state, Actor actor, Sealed recipient, DateTimeOffset at) =>
        CheckOwn(state, actor) ?? Decision.Accept(new AgeRecipientChanged(actor.Id, recipient, at));

    /// <summary>
    /// Erases a participant's personal data; the caller then destroys the key. For oneself, or as a steward with a reason, but
    /// never another steward: that would take away who has to approve. From the second steward on two of them have to ask, the
    /// second one within <see cref="ApprovalDecider.Lifetime"/>. Nothing happens the second time.
    /// </summary>
    public static Decision Erase(
        Participant? state, Actor actor, string? reason, DateTimeOffset at, ErasureStewards stewards = default)
    {
        var own = state?.ParticipantId == actor.Id;
        return state switch
        {
            _ when !own && !actor.Has(Roles.Steward) => Forbidden("Only the participant itself or a steward erases its data."),
            null => NotFound(),
            { ErasedAt: not null } => Decision.Accept(),
            _ when own => Decision.Accept(new ParticipantErased(state.ParticipantId, at)),
            _ when (state.Roles & Roles.Steward) != Roles.None =>
                Decision.Reject("steward_not_erasable", "A steward's data is erased by that steward alone.", "participantId"),
            _ => CheckReason(reason) ?? Order(state, actor, reason!, at, stewards),
        };
    }

    private static Decision Order(Participant state, Actor steward, string reason, DateTimeOffset at, ErasureStewards stewards)
    {
        var asked = stewards.RequesterStands && at <= state.ErasureAsked?.ApprovableUntil ? state.ErasureAsked : null;
        var erased = new ParticipantErased(state.ParticipantId, at);
        if (asked is not null && asked.RequestedBy != steward.Id)
            return Decision.Accept(
                new ErasureApproved(state.ParticipantId, asked.RequestedBy, steward.Id, reason, at),
                new ErasureOrdered(state.ParticipantId, asked.Reason, at), erased);
        if (!stewards.HasOther)
            return Decision.Accept(new ErasureOrdered(state.ParticipantId, reason, at), erased);
        return asked is not null
            ? Decision.Accept()
            : Decision.Accept(new ErasureRequested(state.ParticipantId, steward.Id, reason, at, at + ApprovalDecider.Lifetime));
    }

    private static Decision? CheckRoleChange(Participant? state, Actor actor, Roles role, string reason) => state switch
    {
        _ when !actor.Has(Roles.Steward) => Forbidden("Only stewards change roles."),
        _ when role is not (Roles.Provider or Roles.Consumer or Roles.Auditor or Roles.Operator) =>
            Decision.Reject("role_not_grantable", "Choose one of provider, consumer, auditor, operator.", "role"),
        _ when CheckReason(reason) is { } refused => refused,
        null => NotFound(),
        { ErasedAt: not null } => Erased(),
        _ => null,
    };

    private static Decision? CheckReason(string? reason) => string.IsNullOrWhiteSpace(reason) || reason.Length > ReasonLengthMax
        ? Decision.Reject("reason_required", $"Give a reason of at most {ReasonLengthMax} characters; it becomes public.", "reason")
        : null;

    private static Decision? CheckOwn(Participant? state, Actor actor) => state switch
    {
        null => NotFound(),
        _ when state.ParticipantId != actor.Id => Forbidden("Only the participant changes this."),
        { ErasedAt: not null } => Erased(),
        _ => null,
    };

    private static Decision Forbidden(string message) => Decision.Reject("forbidden", message);

    private static Decision NotFound() => Decision.Reject("participant_not_found", "There is no such participant.");

    private static Decision Erased() => Decision.Reject(NoKey.Code, NoKey.Message);
}
