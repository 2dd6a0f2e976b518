using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace Lumora.Cli.Demo;

/// <summary>The second part: dataset, deposit, purchase, delivery, release.</summary>
internal sealed class Selling(DemoStory story, DemoSite site)
{
    private const string PriceUnits = "25000000000";
    private const int RowsCompared = 200;

    private const string DatasetFields =
        "id phase version records failure price priceFormatted datasetRoot files { name bytes sha256 }";

    /// <summary>A dataset on sale.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Price">Base units.</param>
    public sealed record Listed(string Id, long Price);

    /// <summary>Publishes the collection and waits until the version stands in the catalog.</summary>
    public async Task<Listed> PublishAsync(string collectionId, CancellationToken cancellation)
    {
        var payload = await story.Cast.Steward.CommandAsync(
            "publishDataset",
            "mutation($input: PublishDatasetInput!) { publishDataset(input: $input) { dataset { id } "
            + "error { code message field } } }",
            new
            {
                idempotencyKey = story.Key("publish"),
                collectionId,
                title = $"Titles and paragraphs of {site.Root.Authority}",
                description = "Every page's title, heading and first paragraph, gathered by two nodes.",
                topic = "documentation",
                price = PriceUnits,
                licence = "PostgreSQL",
            },
            cancellation);
        var id = payload.GetProperty("dataset").GetProperty("id").GetString()!;
        var dataset = await story.WaitAsync(
            "Building",
            () => DatasetAsync(id, cancellation),
            found => found.GetProperty("version").ValueKind == JsonValueKind.String
                || found.GetProperty("failure").ValueKind == JsonValueKind.String
                    ? new Found(found)
                    : null,
            found => found.GetProperty("phase").GetString()!,
            cancellation);
        if (dataset.Dataset.GetProperty("failure").GetString() is { } failure)
            throw new DemoFailedException($"The dataset was not built: {failure}");
        story.Checked($"dataset {id} version {dataset.Dataset.GetProperty("version").GetString()}, "
            + $"{dataset.Dataset.GetProperty("records").GetString()} records, "
            + $"{dataset.Dataset.GetProperty("priceFormatted").GetString()}");
        foreach (var file in dataset.Dataset.GetProperty("files").EnumerateArray())
            story.Tell($"{file.GetProperty("name").GetString()}  {file.GetProperty("bytes").GetString()} bytes  "
                + $"sha256 {file.GetProperty("sha256").GetString()![..16]}…");
        return new Listed(id, long.Parse(dataset.Dataset.GetProperty("price").GetString()!, CultureInfo.InvariantCulture));
    }

    /// <summary>Asks the faucet and waits until the deposit is finalized on the chain and credited.</summary>
    public async Task FundAsync(long price, CancellationToken cancellation)
    {
        var consumer = story.Cast.Consumer;
        var account = $"participant/{consumer.ParticipantId}/available";
        if (await BalanceAsync(account, cancellation) < price)
        {
            var payload = await consumer.CommandAsync(
                "requestFaucet",
                "mutation($input: RequestFaucetInput!) { requestFaucet(input: $input) { signature "
                + "error { code message field } } }",
                new { idempotencyKey = story.Key("faucet") },
                cancellation);
            story.Tell($"faucet transfer {payload.GetProperty("signature").GetString()}");
        }

        var balance = await story.WaitAsync(
            "Waiting for the deposit",
            async () => JsonSerializer.SerializeToElement(await BalanceAsync(account, cancellation)),
            units => units.GetInt64() >= price ? new Found(units) : null,
            units => $"balance {units.GetInt64()} base units",
            cancellation);
        story.Checked($"credited: {balance.Dataset.GetInt64()} base units on {account}");
    }

    /// <summary>Buys the dataset into escrow and gives the purchase's id.</summary>
    public async Task<string> BuyAsync(string datasetId, CancellationToken cancellation)
    {
        var consumer = story.Cast.Consumer;
        var quote = await consumer.CommandAsync(
            "quoteDataset",
            "mutation($input: QuoteDatasetInput!) { quoteDataset(input: $input) { quote { token priceFormatted } "
            + "error { code message field } } }",
            new { datasetId },
            cancellation);
        var payload = await consumer.CommandAsync(
            "purchaseDataset",
            "mutation($input: PurchaseDatasetInput!) { purchaseDataset(input: $input) { purchase { id status } "
            + "error { code message field } } }",
            new
            {
                idempotencyKey = story.Key("purchase"),
                quote = quote.GetProperty("quote").GetProperty("token").GetString(),
                recipient = Identity().Recipient,
            },
            cancellation);
        var id = payload.GetProperty("purchase").GetProperty("id").GetString()!;
        story.Checked($"purchase {id}: the price lies in escrow");
        return id;
    }

    /// <summary>Downloads every file, decrypts it and compares it with its hash and with the pages.</summary>
    public async Task ReceiveAsync(string purchaseId, CancellationToken cancellation)
    {
        var payload = await story.Cast.Consumer.CommandAsync(
            "grantDelivery",
            "mutation($input: GrantDeliveryInput!) { grantDelivery(input: $input) { "
            + "grant { grantId files { name path bytes sha256 } } error { code message field } } }",
            new { purchaseId },
            cancellation);
        foreach (var file in payload.GetProperty("grant").GetProperty("files").EnumerateArray())
        {
            var name = file.GetProperty("name").GetString()!;
            var encrypted = Path.Combine(story.Cast.Folder, $"{purchaseId}-{name}.age");
            var plain = Path.Combine(story.Cast.Folder, $"{purchaseId}-{name}");
            File.Delete(encrypted);
            await story.Cast.Consumer.DownloadAsync(file.GetProperty("path").GetString()!, encrypted, cancellation);
            var tool = await AgeTool.DecryptAsync(Identity().File, encrypted, plain, cancellation);

            await using var content = File.OpenRead(plain);
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellation));
            if (hash != file.GetProperty("sha256").GetString())
                throw new DemoFailedException($"{name}: decrypted to another hash than the manifest's.");
            story.Checked($"{name}: decrypted with {tool}, sha256 as in the manifest");
            if (name.EndsWith(".ndjson", StringComparison.Ordinal))
                await CompareAsync(plain, cancellation);
        }
    }

    /// <summary>Confirms the delivery and waits for the release of the escrow.</summary>
    public async Task ConfirmAsync(string purchaseId, CancellationToken cancellation)
    {
        await story.Cast.Consumer.CommandAsync(
            "confirmDelivery",
            "mutation($input: ConfirmDeliveryInput!) { confirmDelivery(input: $input) { purchase { status } "
            + "error { code message field } } }",
            new { purchaseId },
            cancellation);
        var released = await story.WaitAsync(
            "Waiting for the release",
            () => PurchaseAsync(purchaseId, cancellation),
            purchase => purchase.GetProperty("status").GetString() == "RELEASED" ? new Found(purchase) : null,
            purchase => purchase.GetProperty("status").GetString()!,
            cancellation);
        var shares = released.Dataset.GetProperty("shares");
        story.Checked("released: " + string.Join(", ", shares.EnumerateObject().Select(share => $"{share.Name} {share.Value.GetString()}")));
    }

    private async Task CompareAsync(string ndjson, CancellationToken cancellation)
    {
        using var http = new HttpClient();
        var compared = 0;
        await foreach (var line in File.ReadLinesAsync(ndjson, cancellation))
        {
            if (compared == RowsCompared)
                break;
            var row = JsonSerializer.Deserialize<JsonElement>(line);
            var url = new Uri(row.GetProperty("url").GetString()!);
            var title = await site.TitleAsync(http, url, cancellation);
            if (title != row.GetProperty("title").GetString())
                throw new DemoFailedException($"{url}: the row says '{row.GetProperty("title").GetString()}', the page '{title}'.");
            compared++;
        }

        story.Checked($"{compared} rows compared with their pages: every title matches");
    }

    private async Task<JsonElement> DatasetAsync(string id, CancellationToken cancellation)
    {
        var data = await story.Cast.Steward.AskAsync(
            $"query($id: ID!) {{ dataset(id: $id) {{ {DatasetFields} }} }}", new { id }, cancellation);
        return data.GetProperty("dataset");
    }

    private async Task<JsonElement> PurchaseAsync(string id, CancellationToken cancellation)
    {
        var data = await story.Cast.Consumer.AskAsync(
            "query { purchases(last: 100) { edges { node { id status shares { publisher rewards fees burned } } } } }",
            variables: null,
            cancellation);
        return data.GetProperty("purchases").GetProperty("edges").EnumerateArray()
            .Select(edge => edge.GetProperty("node")).First(node => node.GetProperty("id").GetString() == id);
    }

    private async Task<long> BalanceAsync(string code, CancellationToken cancellation)
    {
        var data = await story.Cast.Consumer.AskAsync(
            "query($code: String!) { account(code: $code) { balance } }", new { code }, cancellation);
        var account = data.GetProperty("account");
        return account.ValueKind == JsonValueKind.Null
            ? 0
            : long.Parse(account.GetProperty("balance").GetString()!, CultureInfo.InvariantCulture);
    }

    private AgeTool.Identity Identity() => AgeTool.IdentityIn(story.Cast.Folder);

    private sealed record Found(JsonElement Dataset);
}
