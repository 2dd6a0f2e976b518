using System.Text.Json.Serialization;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Purchases;

/// <summary>
/// A buyer's money went into escrow for a dataset version. Companion of the ledger transaction that moved it: one
/// commit holds both or neither.
/// </summary>
/// <param name="PurchaseId">The purchase; its stream is <c>purchase/{id}</c>, its account <c>escrow/{id}</c>.</param>
/// <param name="QuoteId">The quote that was accepted.</param>
/// <param name="BuyerId">Who bought; a random id.</param>
/// <param name="DatasetId">What was bought.</param>
/// <param name="Version">Which version.</param>
/// <param name="PublisherId">Who sells.</param>
/// <param name="Price">What it cost.</param>
/// <param name="Split">How the price is divided at release.</param>
/// <param name="ReleaseAfterSeconds">The buyer's time to answer after the download.</param>
/// <param name="Recipient">The buyer's age recipient, sealed under the buyer's key: it is a personal field.</param>
/// <param name="At">When.</param>
[EventContract("dataset_purchased")]
public sealed record DatasetPurchased(
    string PurchaseId, string QuoteId, string BuyerId, string DatasetId, SemVer Version, string PublisherId,
    Amount Price, PurchaseSplit Split, int ReleaseAfterSeconds, Sealed Recipient, DateTimeOffset At);

/// <summary>The age header that wraps a file's key to this purchase's recipient was written; it never changes.</summary>
/// <param name="PurchaseId">The purchase.</param>
/// <param name="File">The file's name.</param>
/// <param name="HeaderBytes">Length of the header in bytes.</param>
/// <param name="HeaderSha256">SHA-256 of the header, lower-case hex.</param>
/// <param name="At">When.</param>
[EventContract("delivery_header_written")]
public sealed record DeliveryHeaderWritten(
    string PurchaseId, string File, int HeaderBytes, string HeaderSha256, DateTimeOffset At);

/// <summary>The buyer may download for a while.</summary>
/// <param name="PurchaseId">The purchase.</param>
/// <param name="GrantId">The grant.</param>
/// <param name="BytesMax">The grant's byte budget.</param>
/// <param name="ExpiresAt">Until when.</param>
/// <param name="At">When it was granted.</param>
[EventContract("delivery_granted")]
public sealed record DeliveryGranted(
    string PurchaseId, string GrantId, long BytesMax, DateTimeOffset ExpiresAt, DateTimeOffset At);

/// <summary>A file was sent to its last byte for the first time; the first such file starts the release timer.</summary>
/// <param name="PurchaseId">The purchase.</param>
/// <param name="File">The file's name.</param>
/// <param name="At">When.</param>
[EventContract("delivery_served")]
public sealed record DeliveryServed(string PurchaseId, string File, DateTimeOffset At);

/// <summary>The buyer says that what came is what was sold.</summary>
/// <param name="PurchaseId">The purchase.</param>
/// <param name="At">When.</param>
[EventContract("delivery_confirmed")]
public sealed record DeliveryConfirmed(string PurchaseId, DateTimeOffset At);

/// <summary>The buyer says that a piece of what came is not what was committed to.</summary>
/// <param name="PurchaseId">The purchase.</param>
/// <param name="File">The file's name.</param>
/// <param name="Chunk">Index of the 65,536-byte piece of the stored payload, from 0.</param>
/// <param name="Hash">SHA-256, hex, of the piece as it was received.</param>
/// <param name="At">When.</param>
[EventContract("delivery_disputed")]
public sealed record DeliveryDisputed(string PurchaseId, string File, long Chunk, string Hash, DateTimeOffset At);

/// <summary>Why an escrow was released.</summary>
public enum ReleaseTrigger
{
    /// <summary>The buyer confirmed.</summary>
    Confirmed,

    /// <summary>The buyer did not answer in time after the download.</summary>
    Timer,

    /// <summary>A steward decided a dispute for the publisher.</summary>
    Steward,
}

/// <summary>The escrow was paid out. Companion of the ledger transaction that did it.</summary>
/// <param name="PurchaseId">The purchase.</param>
/// <param name="TransactionId">The ledger transaction.</param>
/// <param name="Shares">The parts; their sum is the price.</param>
/// <param name="Trigger">Why.</param>
/// <param name="Reason">A steward's reason.</param>
/// <param name="At">When.</param>
[EventContract("purchase_released")]
public sealed record PurchaseReleased(
    string PurchaseId,
    string TransactionId,
    PurchaseShares Shares,
    [property: JsonConverter(typeof(WireEnumConverter<ReleaseTrigger>))] ReleaseTrigger Trigger,
    string? Reason,
    DateTimeOffset At);

/// <summary>The escrow went back to the buyer. Companion of the ledger transaction that did it.</summary>
/// <param name="PurchaseId">The purchase.</param>
/// <param name="TransactionId">The ledger transaction.</param>
/// <param name="Amount">The price.</param>
/// <param name="Reason">Stable code (<c>body_differs</c>) or a steward's reason.</param>
/// <param name="At">When.</param>
[EventContract("purchase_refunded")]
public sealed record PurchaseRefunded(
    string PurchaseId, string TransactionId, Amount Amount, string Reason, DateTimeOffset At);
