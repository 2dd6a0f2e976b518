using System.ComponentModel;
using GraphQL;
using Lumora.Api.Identity;
using Lumora.Api.Participants;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Projections.Participants;
using Wolverine;

namespace Lumora.Api.GraphQL;

/// <summary>The signed-in participant; only they see this.</summary>
/// <param name="Id">The random id under which the public log knows the participant.</param>
/// <param name="Roles">What the participant may do now, for example provider or steward.</param>
/// <param name="RegisteredAt">When the wallet signed in first, or was named a steward.</param>
/// <param name="Wallet">The wallet that signs in, base58.</param>
/// <param name="PayoutAddress">Where payouts go, base58: the wallet until another is set.</param>
/// <param name="AgeRecipient">To whom purchases are encrypted; null until it is set.</param>
public sealed record Me(
    [property: Id] string Id,
    IReadOnlyList<string> Roles,
    DateTimeOffset RegisteredAt,
    string? Wallet,
    string? PayoutAddress,
    string? AgeRecipient)
{
    internal static Me Of(Participant participant, ParticipantDirectory directory) => new(
        participant.ParticipantId,
        Actors.NamesOf(participant.Roles),
        participant.RegisteredAt,
        directory.WalletOf(participant),
        directory.PayoutAddressOf(participant),
        directory.AgeRecipientOf(participant));
}

/// <summary>A new payout address.</summary>
/// <param name="Address">Base58 of a Solana address.</param>
public sealed record SetPayoutAddressInput(string Address);

/// <summary>A new age recipient.</summary>
/// <param name="Recipient">An X25519 recipient of the age format: age1 and 58 characters.</param>
public sealed record SetAgeRecipientInput(string Recipient);

/// <summary>The profile after a change.</summary>
/// <param name="Me">The signed-in participant; null when the change was refused.</param>
/// <param name="Error">Why the change was refused; null when it was made.</param>
public sealed record ProfilePayload(Me? Me, UserError? Error);

/// <summary>What a steward may let a participant do.</summary>
public enum GrantableRole
{
    /// <summary>Own nodes and earn.</summary>
    Provider,

    /// <summary>Buy datasets.</summary>
    Consumer,

    /// <summary>Read the ledger's accounts and restricted exports.</summary>
    Auditor,

    /// <summary>Run the host.</summary>
    Operator,
}

/// <summary>A change of what a participant may do.</summary>
/// <param name="ParticipantId">The participant.</param>
/// <param name="Role">One role.</param>
/// <param name="Reason">Why, in at most 500 characters; it becomes public.</param>
public sealed record ChangeRoleInput([property: Id] string ParticipantId, GrantableRole Role, string Reason);

/// <summary>What a participant may do after a change.</summary>
/// <param name="Roles">All its roles now; null when the change was refused.</param>
/// <param name="Error">Why the change was refused; null when it was made.</param>
public sealed record ChangeRolePayload(IReadOnlyList<string>? Roles, UserError? Error);

public sealed partial class Query
{
    /// <summary>The signed-in participant; null for callers that are none, such as nodes.</summary>
    [AllowSignedIn]
    public static async Task<Me?> Me(
        IResolveFieldContext context, [FromServices] ParticipantDirectory directory, CancellationToken ct)
    {
        var participant = await directory.FindAsync(context.Actor().Id, ct);
        return participant is null ? null : GraphQL.Me.Of(participant, directory);
    }
}

public sealed partial class Mutation
{
    /// <summary>Sets where your payouts go. Stored sealed; transfers to it are public on the chain.</summary>
    [AllowSignedIn]
    public static async Task<ProfilePayload> SetPayoutAddress(
        IResolveFieldContext context,
        [FromServices] IMessageBus bus,
        [FromServices] ParticipantDirectory directory,
        [Description("The address.")] SetPayoutAddressInput input,
        CancellationToken ct) => Profile(
            await bus.InvokeAsync<Result<Participant>>(new SetPayoutAddress(context.Actor(), input.Address), ct), directory);

    /// <summary>Sets to whom your purchases are encrypted unless a purchase names another. Stored sealed.</summary>
    [AllowSignedIn]
    public static async Task<ProfilePayload> SetAgeRecipient(
        IResolveFieldContext context,
        [FromServices] IMessageBus bus,
        [FromServices] ParticipantDirectory directory,
        [Description("The recipient.")] SetAgeRecipientInput input,
        CancellationToken ct) => Profile(
            await bus.InvokeAsync<Result<Participant>>(new SetAgeRecipient(context.Actor(), input.Recipient), ct), directory);

    /// <summary>
    /// Lets a participant do more. Public, with the reason; holds from the participant's next access token on. Nothing
    /// happens when it has the role.
    /// </summary>
    [Allow(Roles.Steward)]
    public static async Task<ChangeRolePayload> GrantRole(
        IResolveFieldContext context,
        [FromServices] IMessageBus bus,
        [Description("Who, which role and why.")] ChangeRoleInput input,
        CancellationToken ct) => RolesAfter(await bus.InvokeAsync<Result<Participant>>(
            new GrantRole(context.Actor(), input.ParticipantId, RoleOf(input.Role), input.Reason), ct));

    /// <summary>
    /// Takes a role away from a participant. Public, with the reason; holds from the participant's next access token on.
    /// Nothing happens when it has no such role.
    /// </summary>
    [Allow(Roles.Steward)]
    public static async Task<ChangeRolePayload> RevokeRole(
        IResolveFieldContext context,
        [FromServices] IMessageBus bus,
        [Description("Who, which role and why.")] ChangeRoleInput input,
        CancellationToken ct) => RolesAfter(await bus.InvokeAsync<Result<Participant>>(
            new RevokeRole(context.Actor(), input.ParticipantId, RoleOf(input.Role), input.Reason), ct));

    private static ChangeRolePayload RolesAfter(Result<Participant> result) => new(
        result.Value is { } participant ? Actors.NamesOf(participant.Roles) : null, UserError.From(result.Rejection));

    private static Roles RoleOf(GrantableRole role) => role switch
    {
        GrantableRole.Provider => Roles.Provider,
        GrantableRole.Consumer => Roles.Consumer,
        GrantableRole.Auditor => Roles.Auditor,
        GrantableRole.Operator => Roles.Operator,
        _ => Roles.None,
    };

    private static ProfilePayload Profile(Result<Participant> result, ParticipantDirectory directory) => new(
        result.Value is { } participant ? GraphQL.Me.Of(participant, directory) : null, UserError.From(result.Rejection));
}
