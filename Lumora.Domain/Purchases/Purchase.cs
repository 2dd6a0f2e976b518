using System.Collections.Immutable;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Purchases;

/// <summary>Where a purchase stands.</summary>
public enum PurchaseStatus
{
    /// <summary>Paid into escrow; the buyer may download.</summary>
    Escrowed,

    /// <summary>The buyer confirmed; the release follows.</summary>
    Confirmed,

    /// <summary>The buyer disputed; the escrow waits for a decision.</summary>
    Disputed,

    /// <summary>Paid out. Final; downloads stay free.</summary>
    Released,

    /// <summary>Paid back. Final; no more downloads.</summary>
    Refunded,
}

/// <summary>State of a purchase, folded from <c>purchase/{id}</c>.</summary>
/// <param name="PurchaseId">The purchase's id.</param>
/// <param name="BuyerId">Who bought.</param>
/// <param name="DatasetId">What was bought.</param>
/// <param name="Version">Which version.</param>
/// <param name="PublisherId">Who sells.</param>
/// <param name="Price">What it cost.</param>
/// <param name="Split">How the price is divided at release.</param>
/// <param name="ReleaseAfter">The buyer's time to answer after the download.</param>
/// <param name="Recipient">The buyer's age recipient, sealed.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Headers">SHA-256 of the header by file name.</param>
/// <param name="Served">Files that were sent whole at least once.</param>
/// <param name="ServedAt">When the first file had been sent whole.</param>
/// <param name="GrantCount">How many grants were given.</param>
public sealed record Purchase(
    string PurchaseId, string BuyerId, string DatasetId, SemVer Version, string PublisherId, Amount Price,
    PurchaseSplit Split, TimeSpan ReleaseAfter, Sealed Recipient, PurchaseStatus Status,
    ImmutableDictionary<string, string> Headers, ImmutableHashSet<string> Served, DateTimeOffset? ServedAt,
    int GrantCount)
{
    /// <summary>The stream.</summary>
    public string Id { get; init; } = StreamOf(PurchaseId);

    /// <summary>True when the escrow is empty for good.</summary>
    public bool IsFinished => Status is PurchaseStatus.Released or PurchaseStatus.Refunded;

    /// <summary>When the escrow is released by itself; null while nothing was downloaded or a decision is open.</summary>
    public DateTimeOffset? ReleaseDueAt => Status switch
    {
        PurchaseStatus.Escrowed when ServedAt is { } servedAt => servedAt + ReleaseAfter,
        PurchaseStatus.Confirmed => DateTimeOffset.UnixEpoch,
        _ => null,
    };

    /// <summary>The stream of purchase <paramref name="id"/>.</summary>
    public static string StreamOf(string id) => $"purchase/{id}";

    /// <summary>The state after <paramref name="event"/>.</summary>
    public static Purchase Evolve(Purchase? state, object @event) => (state, @event) switch
    {
        (null, DatasetPurchased e) => new Purchase(
            e.PurchaseId, e.BuyerId, e.DatasetId, e.Version, e.PublisherId, e.Price, e.Split,
            TimeSpan.FromSeconds(e.ReleaseAfterSeconds), e.Recipient, PurchaseStatus.Escrowed,
            ImmutableDictionary<string, string>.Empty, [], null, 0),
        (not null, DeliveryHeaderWritten e) => state with { Headers = state.Headers.Add(e.File, e.HeaderSha256) },
        (not null, DeliveryGranted) => state with { GrantCount = state.GrantCount + 1 },
        (not null, DeliveryServed e) => state with
        {
            Served = state.Served.Add(e.File),
            ServedAt = state.ServedAt ?? e.At,
        },
        (not null, DeliveryConfirmed) => state with { Status = PurchaseStatus.Confirmed },
        (not null, DeliveryDisputed) => state with { Status = PurchaseStatus.Disputed },
        (not null, PurchaseReleased) => state with { Status = PurchaseStatus.Released },
        (not null, PurchaseRefunded) => state with { Status = PurchaseStatus.Refunded },
        _ => throw new InvariantViolationException($"{@event.GetType().Name} does not follow this purchase's events"),
    };
}
