using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Projections.Participants;

/// <summary>Reads participants, and opens their sealed fields for those parts of the host that must act on them.</summary>
public sealed class ParticipantDirectory(ShardSessions sessions, SubjectKeys keys, WalletIndex index)
{
    // Roles are stored as the text of their set, so that one index finds a steward whatever else they are.
    private static readonly Roles[] RolesOfStewards =
    [
        .. Enumerable.Range(0, 2 * (int)Enum.GetValues<Roles>().Max()).Select(bits => (Roles)bits)
            .Where(roles => (roles & Roles.Steward) != Roles.None),
    ];

    /// <summary>The participant, or null.</summary>
    public async Task<Participant?> FindAsync(string participantId, CancellationToken cancellationToken)
    {
        await using var session = sessions.Query(ShardRole.Global);
        return await session.LoadAsync<Participant>(Participant.StreamOf(participantId), cancellationToken);
    }

    /// <summary>The participant who signs with <paramref name="wallet"/> (base58), or null.</summary>
    public async Task<Participant?> FindByWalletAsync(string wallet, CancellationToken cancellationToken)
    {
        await using var command = sessions.DataSource(ShardRole.Global).CreateCommand(
            "select participant_id from participant_wallet where wallet_index = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = index.Of(wallet) });
        return await command.ExecuteScalarAsync(cancellationToken) is string participantId
            ? await FindAsync(participantId, cancellationToken)
            : null;
    }

    /// <summary>The participant with the roles of this moment: none when there is no such participant.</summary>
    public async Task<Actor> ActorAsync(string participantId, CancellationToken cancellationToken) => new(
        participantId, (await FindAsync(participantId, cancellationToken))?.Roles ?? Roles.None);

    /// <summary>True when somebody else than <paramref name="participantId"/> is a steward now. An erased participant has no roles.</summary>
    public async Task<bool> HasOtherStewardAsync(string participantId, CancellationToken cancellationToken)
    {
        await using var session = sessions.Query(ShardRole.Global);
        var serializer = session.DocumentStore.Options.Serializer();
        var query = OtherSteward([.. RolesOfStewards.Select(roles => serializer.ToJson(roles).Trim('"'))], participantId);
        return await query.FirstAsync(sessions.DataSource(ShardRole.Global), row => row.GetString(0), cancellationToken) is not null;
    }

    // In the order of the index, so that no plan looks for the one row from end to end.
    internal static SqlQuery OtherSteward(string[] roles, string participantId) => new(
        "select id from mt_doc_participant where data ->> 'roles' = any($1) and id <> $2 order by data ->> 'roles' limit 1",
        roles, Participant.StreamOf(participantId));

    /// <summary>The wallet in base58; null once erased.</summary>
    public string? WalletOf(Participant participant) => Open(participant, Participant.WalletField, participant.Wallet);

    /// <summary>Where payouts go: the address that was set, else the wallet; null once erased.</summary>
    public string? PayoutAddressOf(Participant participant) => participant.PayoutAddress is null
        ? WalletOf(participant)
        : Open(participant, Participant.PayoutAddressField, participant.PayoutAddress);

    /// <summary>To whom purchases are encrypted, <c>age1…</c>; null when not set, or once erased.</summary>
    public string? AgeRecipientOf(Participant participant) =>
        Open(participant, Participant.AgeRecipientField, participant.AgeRecipient);

    // A recorded erasure holds, even while the key is still to be destroyed.
    private string? Open(Participant participant, string field, Sealed? box) =>
        participant.ErasedAt is null ? keys.Open(participant.ParticipantId, field, box) : null;
}
