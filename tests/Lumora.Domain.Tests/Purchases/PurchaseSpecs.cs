using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Purchases;

namespace Lumora.Domain.Tests.Purchases;

public sealed class PurchaseSpecs
{
    private const string Buyer = "participant_buyer";
    private const string Transaction = "release/purchase_1";
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Amount Price = Amount.FromLmr(25);
    private static readonly string Hash = new('a', 64);

    private static readonly Quote Quote = new(
        "quote_1", "purchase_1", Buyer, "dataset_1", SemVer.First, "participant_seller", Price, PurchaseSplit.Default,
        3_600, Now + Quote.Lifetime);

    private static readonly Dataset OnSale = new(
        "dataset_1", "participant_seller", "collection_1", [SemVer.First], null, Price);

    private static readonly DatasetFile File = new("data.parquet", "application/x-parquet", 1, Hash, 65_537, Hash, Hash);

    private static readonly DatasetPurchased Purchased = new(
        "purchase_1", "quote_1", Buyer, "dataset_1", SemVer.First, "participant_seller", Price, PurchaseSplit.Default,
        3_600, Samples.Sealed, Now);

    private static readonly DeliveryServed Served = new("purchase_1", "data.parquet", Now);
    private static readonly DeliveryConfirmed Confirmed = new("purchase_1", Now);
    private static readonly DeliveryDisputed Disputed = new("purchase_1", "data.parquet", 1, Hash, Now);

    private static readonly PurchaseReleased Released = new(
        "purchase_1", Transaction, PurchaseSplit.Default.Divide(Price), ReleaseTrigger.Timer, null,
        Now + TimeSpan.FromHours(1));

    private static readonly PurchaseRefunded Refunded = new("purchase_1", Transaction, Price, "body_differs", Now);

    [Fact]
    public void A_valid_quote_becomes_a_purchase() => Then(Decide(Buy()), Purchased);

    [Fact]
    public void The_same_quote_again_is_the_same_purchase() => Then(Decide(Buy(), Purchased));

    [Fact]
    public void A_quote_expires_at_its_minute() =>
        ThenRejected(PurchaseDecider.Decide(Buy(), null, Quote.ExpiresAt), "quote_expired");

    [Fact]
    public void A_quote_is_its_buyers_alone() =>
        ThenRejected(Decide(Buy() with { BuyerId = "participant_other" }), "invalid_quote");

    [Fact]
    public void An_unlisted_dataset_is_not_for_sale()
    {
        ThenRejected(Decide(Buy(OnSale with { Price = null })), "not_for_sale");
        ThenRejected(Decide(new PurchaseCommand.Buy(Quote, Buyer, Samples.Sealed, null)), "not_for_sale");
    }

    [Fact]
    public void An_old_price_is_not_honoured() =>
        ThenRejected(Decide(Buy(OnSale with { Price = Amount.FromLmr(26) })), "price_changed");

    [Fact]
    public void A_grant_writes_each_header_once()
    {
        var header = new DeliveryHeaderWritten("purchase_1", "data.parquet", 200, Hash, Now);
        var granted = new DeliveryGranted("purchase_1", "grant_1", 300, Now + DeliveryGrant.Lifetime, Now);
        var grant = new PurchaseCommand.Grant("grant_1", 300, Now + DeliveryGrant.Lifetime, [header]);

        Then(Decide(grant, Purchased), header, granted);
        Then(Decide(grant, Purchased, header, granted), granted);
    }

    [Fact]
    public void A_purchase_that_was_paid_back_is_not_delivered() =>
        ThenRejected(
            Decide(new PurchaseCommand.Grant("grant_1", 300, Now, []), Purchased, Served, Disputed, Refunded), "refunded");

    [Fact]
    public void A_file_is_recorded_as_served_once()
    {
        Then(Decide(new PurchaseCommand.RecordServed("data.parquet"), Purchased), Served);
        Then(Decide(new PurchaseCommand.RecordServed("data.parquet"), Purchased, Served));
    }

    [Fact]
    public void Nothing_is_released_before_its_time()
    {
        var release = new PurchaseCommand.Release(Transaction);
        ThenRejected(Decide(release, Purchased), "not_due");
        ThenRejected(PurchaseDecider.Decide(release, Fold(Purchased, Served), Now.AddSeconds(3_599)), "not_due");
    }

    [Fact]
    public void The_timer_releases_after_the_download() =>
        Then(
            PurchaseDecider.Decide(
                new PurchaseCommand.Release(Transaction), Fold(Purchased, Served), Now.AddSeconds(3_600)),
            Released);

    [Fact]
    public void A_confirmation_releases_at_once() =>
        Then(
            Decide(new PurchaseCommand.Release(Transaction), Purchased, Served, Confirmed),
            Released with { Trigger = ReleaseTrigger.Confirmed, At = Now });

    [Fact]
    public void A_release_happens_once() =>
        Then(Decide(new PurchaseCommand.Release(Transaction), Purchased, Served, Confirmed, Released));

    [Fact]
    public void A_dispute_stops_the_timer() =>
        ThenRejected(
            PurchaseDecider.Decide(
                new PurchaseCommand.Release(Transaction), Fold(Purchased, Served, Disputed), Now.AddDays(30)),
            "not_due");

    [Fact]
    public void A_steward_decides_a_dispute_either_way()
    {
        Then(
            Decide(new PurchaseCommand.Release(Transaction, "the hash is right"), Purchased, Served, Disputed),
            Released with { Trigger = ReleaseTrigger.Steward, Reason = "the hash is right", At = Now });
        Then(Decide(new PurchaseCommand.Refund(Transaction, "body_differs"), Purchased, Served, Disputed), Refunded);
    }

    [Fact]
    public void A_steward_cannot_move_an_escrow_that_nobody_disputes()
    {
        ThenRejected(Decide(new PurchaseCommand.Release(Transaction, "because"), Purchased, Served), "not_disputed");
        ThenRejected(Decide(new PurchaseCommand.Refund(Transaction, "because"), Purchased, Served), "not_disputed");
    }

    [Fact]
    public void What_was_paid_out_is_not_paid_back() =>
        ThenRejected(
            Decide(new PurchaseCommand.Refund(Transaction, "late"), Purchased, Served, Confirmed, Released),
            "already_released");

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public void A_dispute_names_a_piece_that_exists(long chunk) =>
        ThenRejected(Decide(new PurchaseCommand.Dispute(File, chunk, Hash), Purchased, Served), "invalid_chunk");

    [Fact]
    public void A_dispute_needs_a_download_and_a_hash()
    {
        Then(Decide(new PurchaseCommand.Dispute(File, 1, Hash), Purchased, Served), Disputed);
        ThenRejected(Decide(new PurchaseCommand.Dispute(File, 1, Hash), Purchased), "not_delivered");
        ThenRejected(Decide(new PurchaseCommand.Dispute(File, 1, "AA"), Purchased, Served), "invalid_hash");
        ThenRejected(Decide(new PurchaseCommand.Dispute(null, 1, Hash), Purchased, Served), "unknown_file");
        ThenRejected(
            Decide(new PurchaseCommand.Dispute(File, 1, Hash), Purchased, Served, Confirmed), "already_released");
    }

    [Fact]
    public void A_buyer_may_take_a_dispute_back() =>
        Then(Decide(new PurchaseCommand.Confirm(), Purchased, Served, Disputed), Confirmed);

    private static PurchaseCommand.Buy Buy(Dataset? dataset = null) => new(Quote, Buyer, Samples.Sealed, dataset ?? OnSale);

    private static Purchase Fold(params object[] given) => given.Aggregate((Purchase?)null, Purchase.Evolve)!;

    private static Decision Decide(PurchaseCommand command, params object[] given) =>
        PurchaseDecider.Decide(command, given.Aggregate((Purchase?)null, Purchase.Evolve), Now);

    private static void Then(Decision decision, params object[] events) =>
        Assert.Equal(events, Assert.IsType<Decision.Accepted>(decision).Events);

    private static void ThenRejected(Decision decision, string code) =>
        Assert.Equal(code, Assert.IsType<Decision.Rejected>(decision).Reason.Code);
}
