using Lumora.Api.Identity;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Projections.EventStore;
using Lumora.Projections.Participants;

namespace Lumora.Api.Participants;

/// <summary>Sets where the caller's payouts go.</summary>
/// <param name="Actor">The participant.</param>
/// <param name="Address">Base58 of a Solana address.</param>
public sealed record SetPayoutAddress(Actor Actor, string Address);

/// <summary>Handles <see cref="SetPayoutAddress"/>.</summary>
public static class SetPayoutAddressHandler
{
    /// <summary>Answers the participant, or <c>invalid_address</c> and the refusals of <see cref="ParticipantDecider"/>.</summary>
    public static async Task<Result<Participant>> HandleAsync(
        SetPayoutAddress command, ShardSessions sessions, SubjectKeys keys, TimeProvider clock, CancellationToken ct) =>
        Wallet.IsValid(command.Address)
            ? await OwnChange.ApplyAsync(
                sessions, command.Actor,
                state => keys.Seal(command.Actor.Id, Participant.PayoutAddressField, command.Address) is { } address
                    ? ParticipantDecider.ChangePayoutAddress(state, command.Actor, address, clock.Now())
                    : new Decision.Rejected(ParticipantDecider.NoKey),
                ct)
            : new Rejection("invalid_address", "This is no Solana address: base58 of 32 bytes is expected.", "address");
}

/// <summary>Sets to whom the caller's purchases are encrypted.</summary>
/// <param name="Actor">The participant.</param>
/// <param name="Recipient"><c>age1…</c>.</param>
public sealed record SetAgeRecipient(Actor Actor, string Recipient);

/// <summary>Handles <see cref="SetAgeRecipient"/>.</summary>
public static class SetAgeRecipientHandler
{
    /// <summary>Answers the participant, or <c>invalid_recipient</c> and the refusals of <see cref="ParticipantDecider"/>.</summary>
    public static async Task<Result<Participant>> HandleAsync(
        SetAgeRecipient command, ShardSessions sessions, SubjectKeys keys, TimeProvider clock, CancellationToken ct) =>
        AgeRecipient.TryParse(command.Recipient, out var recipient, out var fault)
            ? await OwnChange.ApplyAsync(
                sessions, command.Actor,
                state => keys.Seal(command.Actor.Id, Participant.AgeRecipientField, recipient.Text) is { } box
                    ? ParticipantDecider.ChangeAgeRecipient(state, command.Actor, box, clock.Now())
                    : new Decision.Rejected(ParticipantDecider.NoKey),
                ct)
            : new Rejection("invalid_recipient", fault, "recipient");
}

/// <summary>Lets a participant do more; a steward's act.</summary>
/// <param name="Actor">The steward.</param>
/// <param name="ParticipantId">Who.</param>
/// <param name="Role">One role.</param>
/// <param name="Reason">Why, in words that become public.</param>
public sealed record GrantRole(Actor Actor, string ParticipantId, Roles Role, string Reason);

/// <summary>Handles <see cref="GrantRole"/>.</summary>
public static class GrantRoleHandler
{
    /// <summary>Answers the participant, or the refusals of <see cref="ParticipantDecider.GrantRole"/>.</summary>
    public static Task<Result<Participant>> HandleAsync(
        GrantRole command, ShardSessions sessions, TimeProvider clock, CancellationToken ct) =>
        ParticipantChange.ApplyAsync(
            sessions, command.Actor, command.ParticipantId,
            state => ParticipantDecider.GrantRole(state, command.Actor, command.Role, command.Reason, clock.Now()), ct);
}

/// <summary>Lets a participant do less; a steward's act.</summary>
/// <param name="Actor">The steward.</param>
/// <param name="ParticipantId">Who.</param>
/// <param name="Role">One role.</param>
/// <param name="Reason">Why, in words that become public.</param>
public sealed record RevokeRole(Actor Actor, string ParticipantId, Roles Role, string Reason);

/// <summary>Handles <see cref="RevokeRole"/>.</summary>
public static class RevokeRoleHandler
{
    /// <summary>Answers the participant, or the refusals of <see cref="ParticipantDecider.RevokeRole"/>.</summary>
    public static Task<Result<Participant>> HandleAsync(
        RevokeRole command, ShardSessions sessions, TimeProvider clock, CancellationToken ct) =>
        ParticipantChange.ApplyAsync(
            sessions, command.Actor, command.ParticipantId,
            state => ParticipantDecider.RevokeRole(state, command.Actor, command.Role, command.Reason, clock.Now()), ct);
}

/// <summary>A change that a participant makes to itself.</summary>
internal static class OwnChange
{
    /// <summary>Decides on the state of now; a key is touched only for a participant that is there and not erased.</summary>
    public static Task<Result<Participant>> ApplyAsync(
        ShardSessions sessions, Actor actor, Func<Participant, Decision> decide, CancellationToken ct) =>
        ParticipantChange.ApplyAsync(
            sessions, actor, actor.Id,
            state => state is { ErasedAt: null }
                ? decide(state)
                : Decision.Reject("participant_not_found", "There is no such participant, or its data was erased."),
            ct);
}

/// <summary>A change of a participant by whoever may make it.</summary>
internal static class ParticipantChange
{
    /// <summary>Decides on the state of now (null: there is none) and stores what follows.</summary>
    public static async Task<Result<Participant>> ApplyAsync(
        ShardSessions sessions, Actor actor, string participantId, Func<Participant?, Decision> decide,
        CancellationToken ct)
    {
        if (!TypeId.IsValid(Participant.IdPrefix, participantId))
            return new Rejection("participant_not_found", "There is no such participant.");
        await using var session = sessions.Open(ShardRole.Global, actor);
        var stream = await session.Events.FetchForWriting<Participant>(Participant.StreamOf(participantId), ct);
        var decision = decide(stream.Aggregate);
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        var events = ((Decision.Accepted)decision).Events;
        var after = events.Aggregate(stream.Aggregate, Participant.Evolve)!;
        if (events.Count > 0)
        {
            stream.AppendMany(events);
            await session.SaveChangesAsync(ct);
        }

        return after;
    }
}
