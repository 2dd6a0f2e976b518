using System.Text.Json.Serialization;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Participants;

/// <summary>Somebody proved to hold a wallet for the first time. The id is random and says nothing of wallet or time.</summary>
/// <param name="ParticipantId"><c>participant_…</c>.</param>
/// <param name="Wallet">Base58 of the Solana address, sealed.</param>
/// <param name="At">When.</param>
[EventContract("participant_registered")]
public sealed record ParticipantRegistered(string ParticipantId, Sealed Wallet, DateTimeOffset At);

/// <summary>A participant may do more.</summary>
/// <param name="ParticipantId">Who.</param>
/// <param name="Role">One role, not a set; never <see cref="Roles.Steward"/>, which has its own event.</param>
/// <param name="Reason">Why, in words that may be public.</param>
/// <param name="At">When.</param>
[EventContract("role_granted")]
public sealed record RoleGranted(
    string ParticipantId,
    [property: JsonConverter(typeof(WireEnumConverter<Roles>))] Roles Role,
    string Reason,
    DateTimeOffset At);

/// <summary>A participant may do less.</summary>
/// <param name="ParticipantId">Who.</param>
/// <param name="Role">One role, not a set.</param>
/// <param name="Reason">Why, in words that may be public.</param>
/// <param name="At">When.</param>
[EventContract("role_revoked")]
public sealed record RoleRevoked(
    string ParticipantId,
    [property: JsonConverter(typeof(WireEnumConverter<Roles>))] Roles Role,
    string Reason,
    DateTimeOffset At);

/// <summary>A participant became a steward: power is visible.</summary>
/// <param name="ParticipantId">Who.</param>
/// <param name="Reason">Why, for example that the installation's configuration names the wallet.</param>
/// <param name="At">When.</param>
[EventContract("steward_granted")]
public sealed record StewardGranted(string ParticipantId, string Reason, DateTimeOffset At);

/// <summary>Where a participant's payouts go.</summary>
/// <param name="ParticipantId">Who.</param>
/// <param name="PayoutAddress">Base58 of a Solana address, sealed.</param>
/// <param name="At">When.</param>
[EventContract("payout_address_changed")]
public sealed record PayoutAddressChanged(string ParticipantId, Sealed PayoutAddress, DateTimeOffset At);

/// <summary>To which key a participant's purchases are encrypted.</summary>
/// <param name="ParticipantId">Who.</param>
/// <param name="AgeRecipient"><c>age1…</c>, sealed.</param>
/// <param name="At">When.</param>
[EventContract("age_recipient_changed")]
public sealed record AgeRecipientChanged(string ParticipantId, Sealed AgeRecipient, DateTimeOffset At);

/// <summary>A steward asked for the erasure of a participant's personal data, and another one has to: nothing was erased yet.</summary>
/// <param name="ParticipantId">Whose.</param>
/// <param name="RequestedBy">The participant id of the steward who asked.</param>
/// <param name="Reason">Why, in words that may be public.</param>
/// <param name="At">When.</param>
/// <param name="ApprovableUntil">The last moment at which another steward makes it happen.</param>
[EventContract("erasure_requested")]
public sealed record ErasureRequested(
    string ParticipantId, string RequestedBy, string Reason, DateTimeOffset At, DateTimeOffset ApprovableUntil);

/// <summary>A second steward approved an erasure; the order and the erasure follow in the same commit.</summary>
/// <param name="ParticipantId">Whose.</param>
/// <param name="RequestedBy">The participant id of the steward who asked.</param>
/// <param name="ApprovedBy">The second steward's participant id.</param>
/// <param name="Reason">Why the second one approved, in words that may be public.</param>
/// <param name="At">When.</param>
[EventContract("erasure_approved")]
public sealed record ErasureApproved(string ParticipantId, string RequestedBy, string ApprovedBy, string Reason, DateTimeOffset At);

/// <summary>A steward had a participant's personal data erased: power is visible. The erasure itself follows.</summary>
/// <param name="ParticipantId">Whose.</param>
/// <param name="Reason">Why, in words that may be public.</param>
/// <param name="At">When.</param>
[EventContract("erasure_ordered")]
public sealed record ErasureOrdered(string ParticipantId, string Reason, DateTimeOffset At);

/// <summary>A participant's sealed fields became unreadable for ever: the subject's key is erased.</summary>
/// <param name="ParticipantId">Who.</param>
/// <param name="At">When.</param>
[EventContract("participant_erased")]
public sealed record ParticipantErased(string ParticipantId, DateTimeOffset At);
