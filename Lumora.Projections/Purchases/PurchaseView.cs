using JasperFx.Events;
using Lumora.Domain.Kernel;
using Lumora.Domain.Purchases;
using Marten.Events.Aggregation;

namespace Lumora.Projections.Purchases;

/// <summary>A purchase as its buyer sees it, and as the release timer finds it.</summary>
public sealed record PurchaseView
{
    /// <summary>The stream: <c>purchase/{id}</c>.</summary>
    public required string Id { get; init; }

    /// <summary><c>purchase_…</c>.</summary>
    public required string PurchaseId { get; init; }

    /// <summary>Who bought.</summary>
    public required string BuyerId { get; init; }

    /// <summary>What was bought.</summary>
    public required string DatasetId { get; init; }

    /// <summary>Which version.</summary>
    public required string Version { get; init; }

    /// <summary>Who sells.</summary>
    public required string PublisherId { get; init; }

    /// <summary>What it cost.</summary>
    public required Amount Price { get; init; }

    /// <summary>Where it stands.</summary>
    public PurchaseStatus Status { get; init; }

    /// <summary>The buyer's time to answer after the download.</summary>
    public TimeSpan ReleaseAfter { get; init; }

    /// <summary>When it was bought.</summary>
    public DateTimeOffset PurchasedAt { get; init; }

    /// <summary>When a file had been downloaded whole for the first time.</summary>
    public DateTimeOffset? ServedAt { get; init; }

    /// <summary>When the escrow is released by itself; null while that is not decided or over.</summary>
    public DateTimeOffset? ReleaseDueAt { get; init; }

    /// <summary>How the price was divided, once it is released.</summary>
    public PurchaseShares? Shares { get; init; }

    /// <summary>When the escrow was released or refunded.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The last dispute, if there was one.</summary>
    public DeliveryDisputed? Dispute { get; init; }
}

/// <summary>Folds <c>purchase/{id}</c>.</summary>
public sealed class PurchaseViewProjection : SingleStreamProjection<PurchaseView, string>
{
    /// <inheritdoc/>
    public override PurchaseView? Evolve(PurchaseView? snapshot, string id, IEvent e) => (e.Data, snapshot) switch
    {
        (DatasetPurchased x, _) => new PurchaseView
        {
            Id = id,
            PurchaseId = x.PurchaseId,
            BuyerId = x.BuyerId,
            DatasetId = x.DatasetId,
            Version = x.Version.ToString(),
            PublisherId = x.PublisherId,
            Price = x.Price,
            PurchasedAt = x.At,
            ReleaseAfter = TimeSpan.FromSeconds(x.ReleaseAfterSeconds),
        },
        (DeliveryServed x, { ServedAt: null } s) => s with
        {
            ServedAt = x.At,
            ReleaseDueAt = s.Status == PurchaseStatus.Escrowed ? x.At + s.ReleaseAfter : s.ReleaseDueAt,
        },
        (DeliveryConfirmed x, { } s) => s with { Status = PurchaseStatus.Confirmed, ReleaseDueAt = x.At },
        (DeliveryDisputed x, { } s) => s with { Status = PurchaseStatus.Disputed, ReleaseDueAt = null, Dispute = x },
        (PurchaseReleased x, { } s) => s with
        {
            Status = PurchaseStatus.Released,
            ReleaseDueAt = null,
            Shares = x.Shares,
            FinishedAt = x.At,
        },
        (PurchaseRefunded x, { } s) => s with
        {
            Status = PurchaseStatus.Refunded,
            ReleaseDueAt = null,
            FinishedAt = x.At,
        },
        _ => snapshot,
    };
}
