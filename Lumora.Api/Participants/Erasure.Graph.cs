using GraphQL;
using Lumora.Projections.Participants;

namespace Lumora.Api.GraphQL;

/// <summary>Whose personal data is to be erased.</summary>
/// <param name="ParticipantId">The participant; a participant names itself.</param>
/// <param name="Reason">Why, in at most 500 characters; it becomes public. A steward must give it, for oneself it is left out.</param>
public sealed record EraseSubjectInput([property: Id] string ParticipantId, string? Reason);

/// <summary>An erasure.</summary>
/// <param name="ParticipantId">Whose data was erased; null when there is an error.</param>
/// <param name="ErasedAt">When it was recorded; null when there is an error.</param>
/// <param name="Error">Why it was refused or is not complete; null when the key is destroyed.</param>
public sealed record EraseSubjectPayload([property: Id] string? ParticipantId, DateTimeOffset? ErasedAt, UserError? Error);

public sealed partial class Mutation
{
    /// <summary>
    /// Erases a participant's personal data for ever, by destroying the key that it is sealed under. For yourself, or as a steward
    /// with a reason for anybody but another steward. From the second steward on two of them have to ask for it, within seven days: the first
    /// one hears approval_pending, and nothing has happened. It ends all sign-ins and roles of the participant: withdraw
    /// first, nobody can act for its accounts and nodes afterwards. The log keeps the ciphertext, so that every proof stays valid. Again:
    /// the same answer.
    /// </summary>
    /// <param name="input">Whose data.</param>
    [AllowSignedIn]
    public static async Task<EraseSubjectPayload> EraseSubject(
        IResolveFieldContext context, [FromServices] SubjectErasure erasure, EraseSubjectInput input, CancellationToken ct)
    {
        var erased = await erasure.EraseAsync(context.Actor(), input.ParticipantId, input.Reason, ct);
        return new EraseSubjectPayload(erased.Value?.ParticipantId, erased.Value?.ErasedAt, UserError.From(erased.Rejection));
    }
}
