using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Purchases;
using static Lumora.Integration.Tests.Purchases.MarketRun;

namespace Lumora.Integration.Tests.Deliveries;

public sealed class DeliverySpecs(TestDatabases databases) : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("lumora-delivery").FullName;
    private MarketRun run = null!;
    private HttpClient publisher = null!;
    private HttpClient buyer = null!;
    private string purchase = "";

    public async ValueTask InitializeAsync()
    {
        run = await StartAsync(databases);
        (publisher, var publisherId) = await run.SignInAsync();
        var dataset = await PublishAsync(publisher, await run.ProposeCollectionAsync(publisherId));
        (buyer, _) = await run.SignInAsync(2_000_000_000);
        var (id, code) = await BuyAsync(buyer, await QuoteAsync(buyer, dataset));
        Assert.Null(code);
        purchase = id!;
    }

    public async ValueTask DisposeAsync()
    {
        await run.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_bought_file_decrypts_with_the_age_tool_to_the_hash_in_the_catalog()
    {
        var (files, _) = await GrantAsync(buyer, purchase);
        var key = Path.Combine(folder, "key.txt");
        await File.WriteAllTextAsync(key, MarketRun.Identity.ToSecretText() + "\n", Ct);

        foreach (var (name, file) in files!)
        {
            var age = Path.Combine(folder, name + ".age");
            await File.WriteAllBytesAsync(age, await buyer.GetByteArrayAsync(PathOf(file), Ct), Ct);
            Assert.Equal(file.GetProperty("bytes").GetString(), $"{new FileInfo(age).Length}");
            Decrypt(key, age, Path.Combine(folder, name));
            var plain = await File.ReadAllBytesAsync(Path.Combine(folder, name), Ct);
            Assert.Equal(file.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(plain)));
        }
    }

    [Fact]
    public async Task A_broken_download_is_resumed_under_the_next_grant_until_its_budget_is_spent()
    {
        var (first, _) = await GrantAsync(buyer, purchase);
        using var whole = await buyer.GetAsync(PathOf(first!["data.ndjson"]), Ct);
        var bytes = await whole.Content.ReadAsByteArrayAsync(Ct);
        var (second, _) = await GrantAsync(buyer, purchase);
        // The first cut is inside the header: the answer is put together across the seam.
        foreach (var cut in (int[])[100, 70_000])
        {
            using var rest = await RangeAsync(PathOf(second!["data.ndjson"]), cut, whole.Headers.ETag!);
            Assert.Equal((HttpStatusCode.PartialContent, whole.Headers.ETag), (rest.StatusCode, rest.Headers.ETag));
            Assert.Equal(bytes[cut..], await rest.Content.ReadAsByteArrayAsync(Ct));
        }

        var served = 0;
        while (served < 20 && await StatusAsync(buyer, PathOf(first["data.ndjson"])) == HttpStatusCode.OK)
            served++;
        Assert.InRange(served, 1, 10);
    }

    [Fact]
    public async Task Only_the_buyer_is_granted_and_served()
    {
        var (files, _) = await GrantAsync(buyer, purchase);
        var path = PathOf(files!["data.parquet"]);
        using var stranger = run.App.CreateClient();

        Assert.Equal((null, "not_found"), await GrantAsync(publisher, purchase));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(publisher, path));
        Assert.Equal(
            HttpStatusCode.NotFound, await StatusAsync(stranger, path.Replace("/deliveries/", "/deliveries/A", StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(buyer, path + "x"));
        // The address is the permission: any download tool may use it.
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(stranger, path));
    }

    [Fact]
    public async Task A_dispute_over_a_damaged_body_is_refunded_and_ends_the_downloads()
    {
        var (files, _) = await GrantAsync(buyer, purchase);
        await buyer.GetByteArrayAsync(PathOf(files!["data.ndjson"]), Ct);
        foreach (var body in Directory.GetFiles(Path.Combine(run.App.Home, "blobs", "datasets")))
        {
            await using var stream = new FileStream(body, FileMode.Open, FileAccess.ReadWrite);
            stream.Position = 1_000;
            stream.Write("damage"u8);
        }

        // The end of the download is recorded after its last byte went out, hence the repetition.
        await Patience.UntilAsync(async () => (await AskAsync(
            buyer, "mutation($input: DisputeDeliveryInput!) { disputeDelivery(input: $input) { error { code } } }",
            new { input = new { purchaseId = purchase, file = "data.ndjson", chunk = "0", hash = new string('0', 64) } }))
            .GetProperty("disputeDelivery").GetProperty("error").ValueKind == JsonValueKind.Null);
        await Patience.UntilAsync(async () => (await AskAsync(buyer, "{ purchases { nodes { status } } }", new { }))
            .GetProperty("purchases").GetProperty("nodes")[0].GetProperty("status").GetString() == "REFUNDED");

        Assert.Equal((null, "refunded"), await GrantAsync(buyer, purchase));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(buyer, PathOf(files["data.ndjson"])));
    }

    private static string PathOf(JsonElement file) => file.GetProperty("path").GetString()!;

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, Ct);
        return response.StatusCode;
    }

    private async Task<HttpResponseMessage> RangeAsync(string path, long from, EntityTagHeaderValue tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Range = new RangeHeaderValue(from, null);
        request.Headers.IfRange = new RangeConditionHeaderValue(tag);
        return await buyer.SendAsync(request, Ct);
    }

    private static void Decrypt(string key, string source, string destination)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo("age", ["-d", "-i", key, "-o", destination, source]) { RedirectStandardError = true, UseShellExecute = false })!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, error);
        }
        catch (Win32Exception)
        {
            Assert.Skip("The age tool is not installed (apt-get install -y age).");
        }
    }
}
