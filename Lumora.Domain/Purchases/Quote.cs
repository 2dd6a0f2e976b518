using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Purchases;

/// <summary>
/// An offer to one buyer, signed by the host. It fixes the purchase's id, so that one quote is at most one purchase
/// however often and under whichever key it is sent.
/// </summary>
/// <param name="QuoteId">The quote's id.</param>
/// <param name="PurchaseId">The id that the purchase will have.</param>
/// <param name="BuyerId">Who may buy.</param>
/// <param name="DatasetId">What is bought.</param>
/// <param name="Version">Which version of it.</param>
/// <param name="PublisherId">Who sells.</param>
/// <param name="Price">What it costs.</param>
/// <param name="Split">How the price will be divided.</param>
/// <param name="ReleaseAfterSeconds">How long after the download the escrow is released without an answer.</param>
/// <param name="ExpiresAt">The quote holds before this moment.</param>
public sealed record Quote(
    string QuoteId, string PurchaseId, string BuyerId, string DatasetId, SemVer Version, string PublisherId,
    Amount Price, PurchaseSplit Split, int ReleaseAfterSeconds, DateTimeOffset ExpiresAt)
{
    /// <summary>How long a quote holds.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private const string Label = "lumora/quote/1";

    /// <summary>The signed text that the buyer sends back.</summary>
    public string Seal(ReadOnlySpan<byte> key) => SignedToken.Seal(Label, this, key);

    /// <summary>The quote in <paramref name="token"/>; null when the host did not write it.</summary>
    public static Quote? Open(string? token, ReadOnlySpan<byte> key) =>
        SignedToken.TryOpen<Quote>(Label, token, key, out var quote) ? quote : null;
}

/// <summary>Permission to download one purchase's files for a short while; whoever holds it may use it.</summary>
/// <param name="GrantId">The grant's id; its byte budget is counted under it.</param>
/// <param name="PurchaseId">The purchase.</param>
/// <param name="BuyerId">Whose purchase it is: another signed-in user is refused.</param>
/// <param name="ExpiresAt">Requests that begin before this moment are served.</param>
public sealed record DeliveryGrant(string GrantId, string PurchaseId, string BuyerId, DateTimeOffset ExpiresAt)
{
    /// <summary>How long a grant holds.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    /// <summary>A grant serves this many times the files' bytes, for downloads that break and begin anew.</summary>
    public const int BudgetFactor = 3;

    private const string Label = "lumora/grant/1";

    /// <summary>The signed text that stands in the download's address.</summary>
    public string Seal(ReadOnlySpan<byte> key) => SignedToken.Seal(Label, this, key);

    /// <summary>The grant in <paramref name="token"/>; null when the host did not write it.</summary>
    public static DeliveryGrant? Open(string? token, ReadOnlySpan<byte> key) =>
        SignedToken.TryOpen<DeliveryGrant>(Label, token, key, out var grant) ? grant : null;
}
