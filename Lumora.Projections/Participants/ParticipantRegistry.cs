using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Participants;

/// <summary>Registers a wallet's participant: the event, the state and the blind index in one transaction.</summary>
public sealed class ParticipantRegistry(
    ShardSessions sessions, ParticipantDirectory directory, SubjectKeys keys, WalletIndex index, TimeProvider clock)
    : IDisposable
{
    // Registrations are rare: one at a time spares the failing inserts, which would burn sequence numbers.
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>
    /// The participant of <paramref name="wallet"/> (valid base58), registered now when it is new. Two at once get the
    /// same one: the index is unique, and who loses reads what the other wrote.
    /// </summary>
    /// <param name="wallet">Base58 of the address.</param>
    /// <param name="actor">Who registers; null when it is the participant itself.</param>
    /// <param name="cancellationToken">Stops before the commit.</param>
    public async Task<Participant> EnsureAsync(string wallet, Actor? actor, CancellationToken cancellationToken)
    {
        if (await directory.FindByWalletAsync(wallet, cancellationToken) is { } known)
            return known;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await directory.FindByWalletAsync(wallet, cancellationToken)
                ?? await RegisterAsync(wallet, actor, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task<Participant> RegisterAsync(string wallet, Actor? actor, CancellationToken cancellationToken)
    {
        // Random, not time-ordered: the id must not say when somebody joined.
        var participantId = TypeId.Format(Participant.IdPrefix, Guid.NewGuid());
        var sealedWallet = keys.SealFirst(participantId, Participant.WalletField, wallet);
        var decision = ParticipantDecider.Register(null, participantId, sealedWallet, clock.Now());
        var events = ((Decision.Accepted)decision).Events;
        await using var session = sessions.Open(
            ShardRole.Global, actor ?? new Actor(participantId, Participant.InitialRoles));
        session.Events.StartStream<Participant>(Participant.StreamOf(participantId), events);
        session.QueueSqlCommand(
            "insert into participant_wallet (wallet_index, participant_id) values (?, ?)", index.Of(wallet), participantId);
        try
        {
            await session.SaveChangesAsync(cancellationToken);
        }
        catch (Exception fault) when (IsUniqueViolation(fault))
        {
            keys.Erase(participantId);
            return await directory.FindByWalletAsync(wallet, cancellationToken)
                ?? throw new InvalidOperationException("The wallet's participant was registered and is not there.", fault);
        }

        return events.Aggregate((Participant?)null, Participant.Evolve)!;
    }

    private static bool IsUniqueViolation(Exception? fault) =>
        fault is not null
        && (fault is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } || IsUniqueViolation(fault.InnerException));
}
