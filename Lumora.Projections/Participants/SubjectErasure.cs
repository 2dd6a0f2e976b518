using JasperFx;
using Lumora.Domain.Governance;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Participants;

/// <summary>
/// Erases participants: first the fact is committed, and with it what finds and signs in the participant goes; then the key is
/// destroyed. Whatever ends the host in between, <see cref="CompleteAsync"/> destroys the key of every recorded erasure, and no
/// key is destroyed that no event speaks of (docs/sealed-fields.md).
/// </summary>
public sealed class SubjectErasure(ShardSessions sessions, SubjectKeys keys, ParticipantDirectory participants, TimeProvider clock)
{
    private const int AttemptsMax = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);
    private static readonly Rejection Pending = new(
        "erasure_pending", "The erasure is recorded, but the key could not be destroyed yet. The host goes on trying.");

    /// <summary>
    /// Erases as <paramref name="actor"/>; answers the participant, or the refusals of <see cref="ParticipantDecider.Erase"/> and
    /// <c>erasure_pending</c>; <c>approval_pending</c> when another steward has to ask too. Again: the same answer.
    /// </summary>
    /// <param name="actor">The participant itself, or a steward.</param>
    /// <param name="participantId">Who is erased.</param>
    /// <param name="reason">A steward's reason, which becomes public.</param>
    /// <param name="cancellationToken">Stops before the commit.</param>
    public async Task<Result<Participant>> EraseAsync(
        Actor actor, string participantId, string? reason, CancellationToken cancellationToken)
    {
        // Whoever acts for others does so with the roles of this moment, not with those of a token.
        if (participantId != actor.Id)
            actor = await participants.ActorAsync(actor.Id, cancellationToken);
        var recorded = await RecordAsync(actor, participantId, reason, cancellationToken);
        if (recorded.Value is null)
            return recorded;
        if (recorded.Value.ErasedAt is null)
            return ApprovalCodes.Reject(ApprovalCodes.Pending);
        try
        {
            keys.Erase(participantId);
            return recorded;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Pending;
        }
    }

    /// <summary>
    /// Destroys the keys that survived their erasure: the host was ended in between, the disk refused, or a backup of the keys
    /// was restored. Returns how many there were.
    /// </summary>
    /// <exception cref="IOException">One could not be destroyed.</exception>
    public async Task<int> CompleteAsync(CancellationToken cancellationToken)
    {
        var erased = new List<string>();
        await using (var session = sessions.Query(ShardRole.Global))
        {
            // Whoever is erased has no roles: the index on them finds the few.
            await using var command = sessions.DataSource(ShardRole.Global).CreateCommand(
                "select data ->> 'participantId' from mt_doc_participant where data ->> 'roles' = $1 and data ->> 'erasedAt' is not null");
            command.Parameters.Add(new NpgsqlParameter
            {
                Value = session.DocumentStore.Options.Serializer().ToJson(Roles.None).Trim('"'),
            });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                erased.Add(reader.GetString(0));
        }

        var (destroyed, faults) = (0, new List<Exception>());
        foreach (var subject in erased)
        {
            try
            {
                destroyed += keys.Erase(subject) ? 1 : 0;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // One that cannot be destroyed keeps none of the others.
                faults.Add(fault);
            }
        }

        return faults.Count == 0
            ? destroyed
            : throw new IOException($"{faults.Count} keys of erased subjects could not be destroyed.", faults[0]);
    }

    private async Task<Result<Participant>> RecordAsync(
        Actor actor, string participantId, string? reason, CancellationToken cancellationToken)
    {
        // What is no id names nobody; the rules say who may hear that.
        if (!TypeId.IsValid(Participant.IdPrefix, participantId))
            return ((Decision.Rejected)ParticipantDecider.Erase(null, actor, reason, clock.Now())).Reason;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await RecordOnceAsync(actor, participantId, reason, cancellationToken);
            }
            catch (ConcurrencyException) when (attempt < AttemptsMax)
            {
                await Task.Delay(attempt * Pause, clock, cancellationToken);
            }
        }
    }

    private async Task<Result<Participant>> RecordOnceAsync(
        Actor actor, string participantId, string? reason, CancellationToken cancellationToken)
    {
        await using var session = sessions.Open(ShardRole.Global, actor);
        var stream = await session.Events.FetchForWriting<Participant>(Participant.StreamOf(participantId), cancellationToken);
        var stewards = await StewardsAsync(stream.Aggregate, actor, cancellationToken);
        var decision = ParticipantDecider.Erase(stream.Aggregate, actor, reason, clock.Now(), stewards);
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        var events = ((Decision.Accepted)decision).Events;
        var after = events.Aggregate(stream.Aggregate, Participant.Evolve)!;
        if (events.Count == 0)
            return after;
        stream.AppendMany(events);
        if (after.ErasedAt is not null)
        {
            session.QueueSqlCommand("delete from participant_wallet where participant_id = ?", participantId);
            session.QueueSqlCommand("delete from auth_refresh_token where participant_id = ?", participantId);
        }

        await session.SaveChangesAsync(cancellationToken);
        return after;
    }

    private async Task<ErasureStewards> StewardsAsync(Participant? state, Actor actor, CancellationToken cancellationToken) =>
        state is null || state.ParticipantId == actor.Id || !actor.Has(Roles.Steward)
            ? default
            : new ErasureStewards(
                await participants.HasOtherStewardAsync(actor.Id, cancellationToken),
                state.ErasureAsked is { } asked && (await participants.ActorAsync(asked.RequestedBy, cancellationToken)).Has(Roles.Steward));
}
