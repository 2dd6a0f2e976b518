using System.Net;
using System.Text.Json;
using Lumora.Api.Datasets;
using Lumora.Domain.Ledger;
using Lumora.Domain.Purchases;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Purchases.MarketRun;

namespace Lumora.Integration.Tests.Purchases;

public sealed class PurchaseSpecs(TestDatabases databases)
{
    private const long Price = 1_000_000_007;

    private const string Confirm =
        "mutation($input: ConfirmDeliveryInput!) { confirmDelivery(input: $input) { purchase { status } error { code } } }";

    [Fact]
    public async Task A_purchase_is_paid_once_and_divided_exactly_when_it_is_confirmed()
    {
        await using var run = await StartAsync(databases);
        var (publisher, publisherId) = await run.SignInAsync();
        var dataset = await PublishAsync(publisher, await run.ProposeCollectionAsync(publisherId));
        var (buyer, buyerId) = await run.SignInAsync(3 * Price);
        var quote = await QuoteAsync(buyer, dataset);

        var (purchase, code) = await BuyAsync(buyer, quote);
        Assert.Null(code);
        Assert.Equal((purchase, null), await BuyAsync(buyer, quote));
        Assert.Equal((null, "quote_used"), await BuyAsync(buyer, quote, key: "buy-2"));
        Assert.Equal((null, "idempotency_conflict"), await BuyAsync(buyer, await QuoteAsync(buyer, dataset)));
        Assert.Equal(2 * Price, await run.BalanceAsync(ChartOfAccounts.Available(buyerId)));
        Assert.Equal(Price, await run.BalanceAsync(ChartOfAccounts.Escrow(purchase!)));

        await AskAsync(buyer, Confirm, new { input = new { purchaseId = purchase } });
        await AssertReleasedAsync(run, purchase!, publisherId);
    }

    [Fact]
    public async Task Refusals_have_their_codes_and_move_nothing()
    {
        await using var run = await StartAsync(databases);
        var (publisher, publisherId) = await run.SignInAsync();
        var collection = await run.ProposeCollectionAsync(publisherId);
        var bad = await AskAsync(publisher, PublishMutation, PublishInput("nonsense", "0", "x"));
        Assert.Equal(3, bad.GetProperty("publishDataset").GetProperty("problems").GetArrayLength());
        var dataset = await PublishAsync(publisher, collection);
        Assert.Equal(dataset, await PublishAsync(publisher, collection));
        var (poor, poorId) = await run.SignInAsync(Price - 1);
        var quote = await QuoteAsync(poor, dataset);

        Assert.Equal((null, "insufficient_funds"), await BuyAsync(poor, quote));
        Assert.Equal((null, "insufficient_funds"), await BuyAsync(poor, quote));
        Assert.Equal((null, "invalid_quote"), await BuyAsync(publisher, quote));
        Assert.Equal((null, "invalid_quote"), await BuyAsync(poor, quote[..^3], key: "k2"));
        Assert.Equal((null, "invalid_recipient"), await BuyAsync(poor, quote, key: "k3", recipient: "age1nonsense"));
        await SetPriceAsync(publisher, dataset, "5");
        Assert.Equal((null, "price_changed"), await BuyAsync(poor, quote, key: "k4"));
        await SetPriceAsync(publisher, dataset, null);
        Assert.Equal((null, "not_for_sale"), await BuyAsync(poor, quote, key: "k5"));
        Assert.Equal(Price - 1, await run.BalanceAsync(ChartOfAccounts.Available(poorId)));
    }

    [Fact]
    public async Task A_host_that_ends_before_the_release_releases_once_after_it_is_back()
    {
        // The first host looks for due releases only at its start, so it ends between purchase and release.
        await using var run = await StartAsync(databases, releaseAfter: "00:00:01", sweepEvery: "01:00:00");
        var (publisher, publisherId) = await run.SignInAsync();
        var dataset = await PublishAsync(publisher, await run.ProposeCollectionAsync(publisherId));
        var (buyer, _) = await run.SignInAsync(Price);
        var (purchase, _) = await BuyAsync(buyer, await QuoteAsync(buyer, dataset));
        var (files, _) = await GrantAsync(buyer, purchase);
        await buyer.GetByteArrayAsync(files!["data.parquet"].GetProperty("path").GetString(), Ct);
        await Patience.UntilAsync(async () => await IsServedAsync(run, purchase!));

        await run.RestartAsync();
        await Patience.UntilAsync(async () => await run.BalanceAsync(ChartOfAccounts.Escrow(purchase!)) == 0);
        await run.RestartAsync();

        await AssertReleasedAsync(run, purchase!, publisherId);
    }

    [Fact]
    public async Task The_catalog_is_searched_by_text_and_price_and_serves_its_metadata()
    {
        await using var run = await StartAsync(databases);
        var (publisher, publisherId) = await run.SignInAsync();
        var id = await PublishAsync(publisher, await run.ProposeCollectionAsync(publisherId));

        Assert.Equal([id], await SearchAsync(publisher, new { text = "page size" }));
        Assert.Empty(await SearchAsync(publisher, new { text = "page -size" }));
        Assert.Empty(await SearchAsync(publisher, new { priceMax = "1000000006" }));
        Assert.Equal([id], await SearchAsync(publisher, new { priceMax = "1000000007", topic = "web-pages" }));
        var croissant = await publisher.GetStringAsync($"/datasets/{id}/croissant.json", Ct);
        Assert.Contains("http://mlcommons.org/croissant/1.1", croissant, StringComparison.Ordinal);
        var sample = await publisher.GetStringAsync($"/datasets/{id}/versions/1.0.0/sample.ndjson", Ct);
        Assert.Equal(100, sample.Count(c => c == '\n'));
    }

    [Fact]
    public async Task An_expired_grant_serves_nothing()
    {
        await using var run = await StartAsync(databases);
        var (buyer, id) = await run.SignInAsync();
        var grant = new DeliveryGrant("grant_1", "purchase_1", id, DateTimeOffset.UtcNow.AddSeconds(-1));
        using var response = await buyer.GetAsync(
            $"/deliveries/{grant.Seal(run.App.Get<MarketKeys>().Tokens)}/data.parquet", Ct);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    private static async Task<List<string?>> SearchAsync(HttpClient client, object filter) =>
    [
        .. (await AskAsync(client, "query($filter: DatasetFilter) { datasets(filter: $filter) { nodes { id } } }", new { filter }))
            .GetProperty("datasets").GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("id").GetString()),
    ];

    private static Task<JsonElement> SetPriceAsync(HttpClient publisher, string datasetId, string? price) => AskAsync(
        publisher, "mutation($input: SetDatasetPriceInput!) { setDatasetPrice(input: $input) { error { code } } }",
        new { input = new { datasetId, price } });

    private static async Task<bool> IsServedAsync(MarketRun run, string purchase)
    {
        await using var session = run.App.Get<ShardSessions>().Query(ShardRole.Global);
        return (await session.Events.AggregateStreamAsync<Purchase>(Purchase.StreamOf(purchase), token: Ct))!.ServedAt is not null;
    }

    private static async Task AssertReleasedAsync(MarketRun run, string purchase, string publisherId)
    {
        var shares = PurchaseSplit.Default.Divide(new(Price));
        Assert.Equal(0, await run.BalanceAsync(ChartOfAccounts.Escrow(purchase)));
        Assert.Equal(shares.Publisher.Units, await run.BalanceAsync(ChartOfAccounts.Available(publisherId)));
        Assert.Equal(shares.Rewards.Units, await run.BalanceAsync(ChartOfAccounts.Rewards));
        Assert.Equal(shares.Fees.Units, await run.BalanceAsync(ChartOfAccounts.Fees));
        Assert.Equal(shares.Burned.Units, await run.BalanceAsync(ChartOfAccounts.Burned));
        Assert.Empty((await run.App.Get<LedgerVerifier>().VerifyAsync(ShardRole.Global, Ct)).Findings);
    }
}
