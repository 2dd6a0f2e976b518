using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Participants;

/// <summary>A person or organisation that takes part, known by a random id; what identifies them is sealed.</summary>
public sealed record Participant
{
    /// <summary>The prefix of participant ids.</summary>
    public const string IdPrefix = "participant";

    /// <summary>Names of sealed fields; part of what the sealing binds, hence frozen.</summary>
    public const string WalletField = "wallet", PayoutAddressField = "payout_address", AgeRecipientField = "age_recipient";

    /// <summary>Whoever signs in may provide bandwidth and buy data; all else is granted.</summary>
    public const Roles InitialRoles = Roles.Provider | Roles.Consumer;

    /// <summary>The stream, <c>participant/{id}</c>.</summary>
    public required string Id { get; init; }

    /// <summary><c>participant_…</c>.</summary>
    public required string ParticipantId { get; init; }

    /// <summary>The wallet that signs in, sealed.</summary>
    public required Sealed Wallet { get; init; }

    /// <summary>What this participant may do now.</summary>
    public required Roles Roles { get; init; }

    /// <summary>Where payouts go, sealed; null until it is set: then they go to the wallet.</summary>
    public Sealed? PayoutAddress { get; init; }

    /// <summary>To whom purchases are encrypted unless the purchase names another, sealed; null until it is set.</summary>
    public Sealed? AgeRecipient { get; init; }

    /// <summary>When the wallet signed in first, or was named a steward.</summary>
    public required DateTimeOffset RegisteredAt { get; init; }

    /// <summary>When the sealed fields were made unreadable; null while they are readable.</summary>
    public DateTimeOffset? ErasedAt { get; init; }

    /// <summary>The erasure that a steward asked for and no other one has approved; null when none waits. Its time may be over.</summary>
    public ErasureRequested? ErasureAsked { get; init; }

    /// <summary>The stream of a participant.</summary>
    public static string StreamOf(string participantId) => $"{IdPrefix}/{participantId}";

    /// <summary>The state after <paramref name="event"/>.</summary>
    public static Participant? Evolve(Participant? state, object @event) => (state, @event) switch
    {
        (null, ParticipantRegistered registered) => new Participant
        {
            Id = StreamOf(registered.ParticipantId),
            ParticipantId = registered.ParticipantId,
            Wallet = registered.Wallet,
            Roles = InitialRoles,
            RegisteredAt = registered.At,
        },
        ({ } known, RoleGranted granted) => known with { Roles = known.Roles | granted.Role },
        ({ } known, RoleRevoked revoked) => known with { Roles = known.Roles & ~revoked.Role },
        ({ } known, StewardGranted) => known with { Roles = known.Roles | Roles.Steward },
        ({ } known, PayoutAddressChanged changed) => known with { PayoutAddress = changed.PayoutAddress },
        ({ } known, AgeRecipientChanged changed) => known with { AgeRecipient = changed.AgeRecipient },
        ({ } known, ErasureRequested asked) => known with { ErasureAsked = asked },
        ({ } known, ParticipantErased erased) => known with { Roles = Roles.None, ErasedAt = erased.At, ErasureAsked = null },
        _ => state,
    };
}
