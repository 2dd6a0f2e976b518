using System.ComponentModel;
using GraphQL;
using Lumora.Api.Purchases;
using Lumora.Domain.Kernel;
using Lumora.Domain.Purchases;
using Lumora.Projections.EventStore;
using Lumora.Projections.Purchases;
using Marten;

namespace Lumora.Api.GraphQL;

public sealed partial class Query
{
    /// <summary>Your own purchases, oldest first.</summary>
    [AllowSignedIn]
    public static async Task<Connection<PurchaseInfo>> Purchases(
        IResolveFieldContext context, PageRequest page, [FromServices] ShardSessions sessions, CancellationToken ct)
    {
        var buyer = context.Actor().Id;
        await using var session = sessions.Query(ShardRole.Global);
        var rows = session.Query<PurchaseView>().Where(purchase => purchase.BuyerId == buyer);
        // The ids are UUIDv7: their order is the order of the quotes.
        if (page.After is { } after)
            rows = rows.Where(purchase => purchase.Id.CompareTo(Purchase.StreamOf(after)) > 0);
        if (page.Before is { } before)
            rows = rows.Where(purchase => purchase.Id.CompareTo(Purchase.StreamOf(before)) < 0);
        rows = page.Backward ? rows.OrderByDescending(purchase => purchase.Id) : rows.OrderBy(purchase => purchase.Id);
        var found = await rows.Take(page.Take).ToListAsync(ct);
        return page.Page([.. found.Select(purchase => new PurchaseInfo(purchase))], key: purchase => purchase.Id);
    }
}

public sealed partial class Mutation
{
    /// <summary>Asks for an offer of a dataset's newest version; it holds for 10 minutes.</summary>
    [Allow(Roles.Consumer)]
    public static async Task<QuoteDatasetPayload> QuoteDataset(
        IResolveFieldContext context, [FromServices] Purchasing purchasing, [Description("The dataset.")] QuoteDatasetInput input, CancellationToken ct)
    {
        var result = await purchasing.QuoteAsync(context.Actor(), input.DatasetId, ct);
        return new QuoteDatasetPayload(
            result.Value is { } quote ? new QuoteInfo(quote) : null, UserError.From(result.Rejection));
    }

    /// <summary>Accepts an offer: the price goes into escrow and the dataset can be downloaded.</summary>
    [Allow(Roles.Consumer)]
    public static async Task<PurchaseDatasetPayload> PurchaseDataset(
        IResolveFieldContext context, [FromServices] Purchasing purchasing, [Description("The offer.")] PurchaseDatasetInput input, CancellationToken ct)
    {
        var result = await purchasing.PurchaseAsync(
            new PurchaseDataset(context.Actor(), input.IdempotencyKey, input.Quote, input.Recipient), ct);
        return new PurchaseDatasetPayload(
            result.Value is { } purchase ? new PurchaseInfo(purchase) : null, UserError.From(result.Rejection));
    }
}

/// <summary>What an offer is wanted of.</summary>
/// <param name="DatasetId">The dataset.</param>
public sealed record QuoteDatasetInput([property: Id] string DatasetId);

/// <summary>An offer, or why there is none.</summary>
/// <param name="Quote">The offer.</param>
/// <param name="Error">Why there is none.</param>
public sealed record QuoteDatasetPayload(QuoteInfo? Quote, UserError? Error);

/// <summary>A signed offer to one buyer.</summary>
[Name("Quote")]
public sealed class QuoteInfo
{
    private readonly SignedQuote signed;

    internal QuoteInfo(SignedQuote signed) => this.signed = signed;

    /// <summary>The quote's id.</summary>
    [Id]
    public string Id => signed.Quote.QuoteId;

    /// <summary>What to send back to accept it.</summary>
    public string Token => signed.Token;

    /// <summary>The id that the purchase will have.</summary>
    [Id]
    public string PurchaseId => signed.Quote.PurchaseId;

    /// <summary>The dataset.</summary>
    [Id]
    public string DatasetId => signed.Quote.DatasetId;

    /// <summary>The version.</summary>
    public string Version => signed.Quote.Version.ToString();

    /// <summary>The price.</summary>
    public Amount Price => signed.Quote.Price;

    /// <summary>The price for people.</summary>
    public string PriceFormatted => signed.Quote.Price.Format();

    /// <summary>How the price is divided at release, in basis points.</summary>
    public SplitInfo Split => new(
        signed.Quote.Split.PublisherBps, signed.Quote.Split.RewardsBps, signed.Quote.Split.FeesBps, signed.Quote.Split.BurnBps);

    /// <summary>Your time to answer after the download, in seconds; then the escrow is released.</summary>
    public int ReleaseAfterSeconds => signed.Quote.ReleaseAfterSeconds;

    /// <summary>The offer holds before this moment.</summary>
    public DateTimeOffset ExpiresAt => signed.Quote.ExpiresAt;
}

/// <summary>How a price is divided at release, in basis points of 1/10,000.</summary>
/// <param name="PublisherBps">For the publisher.</param>
/// <param name="RewardsBps">For the pool that pays the nodes.</param>
/// <param name="FeesBps">For the network.</param>
/// <param name="BurnBps">Taken out of circulation.</param>
[Name("PurchaseSplit")]
public sealed record SplitInfo(int PublisherBps, int RewardsBps, int FeesBps, int BurnBps);

/// <summary>The acceptance of an offer.</summary>
/// <param name="IdempotencyKey">1 to 128 visible characters; the same request again gives the same purchase.</param>
/// <param name="Quote">The token of the offer.</param>
/// <param name="Recipient">Your age recipient, <c>age1…</c>: the files will be encrypted to it.</param>
public sealed record PurchaseDatasetInput(string IdempotencyKey, string Quote, string Recipient);

/// <summary>The purchase, or why there is none.</summary>
/// <param name="Purchase">The purchase.</param>
/// <param name="Error">Why there is none, for example <c>insufficient_funds</c>.</param>
public sealed record PurchaseDatasetPayload(PurchaseInfo? Purchase, UserError? Error);

/// <summary>A purchase of yours.</summary>
[Name("Purchase")]
public sealed class PurchaseInfo
{
    private readonly PurchaseView view;

    internal PurchaseInfo(PurchaseView view) => this.view = view;

    /// <summary>The purchase's id.</summary>
    [Id]
    public string Id => view.PurchaseId;

    /// <summary>What was bought.</summary>
    [Id]
    public string DatasetId => view.DatasetId;

    /// <summary>Which version.</summary>
    public string Version => view.Version;

    /// <summary>Who sells.</summary>
    [Id]
    public string PublisherId => view.PublisherId;

    /// <summary>What it cost.</summary>
    public Amount Price => view.Price;

    /// <summary>The price for people.</summary>
    public string PriceFormatted => view.Price.Format();

    /// <summary>Where it stands.</summary>
    public PurchaseStatus Status => view.Status;

    /// <summary>When it was bought.</summary>
    public DateTimeOffset PurchasedAt => view.PurchasedAt;

    /// <summary>When a file had been downloaded whole for the first time.</summary>
    public DateTimeOffset? ServedAt => view.ServedAt;

    /// <summary>When the escrow is released by itself; null while that is not decided or over.</summary>
    public DateTimeOffset? ReleaseDueAt => view.ReleaseDueAt;

    /// <summary>How the price was divided, once it is released.</summary>
    public PurchaseShares? Shares => view.Shares;

    /// <summary>When the escrow was released or refunded.</summary>
    public DateTimeOffset? FinishedAt => view.FinishedAt;
}
