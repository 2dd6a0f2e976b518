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
                state => ParticipantDecider.ChangePayoutAddress(
                    state, command.Actor,
                    keys.Seal(command.Actor.Id, Participant.PayoutAddressField, command.Address), clock.Now()),
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
                state => ParticipantDecider.ChangeAgeRecipient(
                    state, command.Actor,
                    keys.Seal(command.Actor.Id, Participant.AgeRecipientField, recipient.Text), clock.Now()),
                ct)
            : new Rejection("invalid_recipient", fault, "recipient");
}

/// <summary>A change that a participant makes to itself.</summary>
internal static class OwnChange
{
    /// <summary>Decides on the state of now; a key is touched only for a participant that is there and not erased.</summary>
    public static async Task<Result<Participant>> ApplyAsync(
        ShardSessions sessions, Actor actor, Func<Participant, Decision> decide, CancellationToken ct)
    {
        if (!TypeId.IsValid(Participant.IdPrefix, actor.Id))
            return new Rejection("participant_not_found", "Only participants have a profile.");
        await using var session = sessions.Open(ShardRole.Global, actor);
        var stream = await session.Events.FetchForWriting<Participant>(Participant.StreamOf(actor.Id), ct);
        if (stream.Aggregate is not { ErasedAt: null } state)
            return new Rejection("participant_not_found", "There is no such participant, or its data was erased.");
        var decision = decide(state);
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        var events = ((Decision.Accepted)decision).Events;
        stream.AppendMany(events);
        await session.SaveChangesAsync(ct);
        return events.Aggregate((Participant?)state, Participant.Evolve)!;
    }
}
