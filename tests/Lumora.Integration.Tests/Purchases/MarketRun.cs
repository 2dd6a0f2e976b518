using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lumora.Api.Tasks;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Merkle;
using Lumora.Domain.Tasks;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Lumora.Integration.Tests.Purchases;

/// <summary>
/// A host with a market: a publisher with a collection whose results are given (the nodes that gather them have tests
/// of their own), and buyers with money.
/// </summary>
public sealed class MarketRun : IAsyncDisposable
{
    public const string PublishMutation =
        "mutation($input: PublishDatasetInput!) { publishDataset(input: $input) "
        + "{ dataset { id } error { code } problems { code } } }";

    public static readonly AgeIdentity Identity = AgeIdentity.Generate(RandomNumberGenerator.Fill);
    private static readonly Actor Network = Actor.System("test");
    private readonly string database;
    private readonly string home;

    private MarketRun(string database, string home, LumoraApp app) => (this.database, this.home, App) = (database, home, app);

    public LumoraApp App { get; private set; }

    public static string Recipient => Identity.Recipient(new Curve25519()).Text;

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<MarketRun> StartAsync(
        TestDatabases databases, string releaseAfter = "01:00:00", string sweepEvery = "00:00:00.2")
    {
        var connection = await databases.CreateAsync();
        var folder = Path.Combine(Path.GetTempPath(), $"lumora-market-{Guid.NewGuid():N}");
        return new MarketRun(connection, folder, await StartAppAsync(connection, folder, releaseAfter, sweepEvery));
    }

    /// <summary>Ends the host and starts another one on the same state.</summary>
    public async Task RestartAsync()
    {
        await App.DisposeAsync();
        App = await StartAppAsync(database, home, "01:00:00", "00:00:00.2");
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        Directory.Delete(home, recursive: true);
    }

    /// <summary>A client that is signed in, with an account that holds <paramref name="units"/>.</summary>
    public async Task<(HttpClient Client, string Id)> SignInAsync(long units = 0)
    {
        var client = App.CreateClient();
        var id = (await new TestWallet().SignInAsync(client, Ct)).ParticipantId;
        var ledger = App.Get<ILedgers>().For(ShardRole.Global);
        var account = ChartOfAccounts.Available(id);
        await ledger.SubmitAsync(new LedgerRequest(Network, $"open/{account}", new OpenAccount(account)), Ct);
        if (units > 0)
        {
            var posting = new Posting(ChartOfAccounts.Emission, account, new Amount(units));
            Assert.IsType<LedgerOutcome.Posted>(await ledger.SubmitAsync(
                new LedgerRequest(Network, $"fund/{id}", new PostTransaction("test_funding", [posting])), Ct));
        }

        return (client, id);
    }

    public async Task<long> BalanceAsync(string code) =>
        (await App.Get<LedgerQueries>().AccountAsync(ShardRole.Global, code, ChartOfAccounts.Lmr, Ct))?.Balance ?? 0;

    public async Task<string> ProposeCollectionAsync(string participantId)
    {
        var id = TypeId.Format("collection", Guid.CreateVersion7());
        var plan = new CollectionPlan(
            "Pages", "Testing", "CC-BY-4.0", ["a.test"], ["https://a.test/"], null,
            [new ExtractionRule("title", "h1", Required: true), new ExtractionRule("size", "b", Type: FieldType.Integer)],
            null, 1, 10, 10, 1_000_000, 10, 3, true);
        await using var session = App.Get<ShardSessions>().Open(ShardRole.Region, Network);
        session.Events.StartStream<CollectionState>(
            CollectionState.StreamOf(id), new CollectionProposed(id, participantId, plan, Recipient, DateTimeOffset.UtcNow));
        await session.SaveChangesAsync(Ct);
        return id;
    }

    /// <summary>Publishes and waits until the version stands; the dataset's id.</summary>
    public static async Task<string> PublishAsync(HttpClient publisher, string collectionId)
    {
        var answer = await AskAsync(publisher, PublishMutation, PublishInput(collectionId));
        var id = Text(answer.GetProperty("publishDataset"), "dataset", "id");
        Assert.True(id is not null, answer.ToString());
        await Patience.UntilAsync(async () => (await AskAsync(publisher, "query($id: ID!) { dataset(id: $id) { phase } }", new { id }))
            .GetProperty("dataset").GetProperty("phase").GetString() == "LISTED");
        return id;
    }

    public static object PublishInput(string collectionId, string price = "1000000007", string title = "Some pages") => new
    {
        input = new
        {
            idempotencyKey = "publish-1",
            collectionId,
            title,
            description = "Titles and sizes of some pages.",
            topic = "web-pages",
            price,
            licence = "CC-BY-4.0",
        },
    };

    public static async Task<string> QuoteAsync(HttpClient buyer, string datasetId)
    {
        var answer = await AskAsync(
            buyer, "mutation($input: QuoteDatasetInput!) { quoteDataset(input: $input) { quote { token } } }",
            new { input = new { datasetId } });
        return Text(answer.GetProperty("quoteDataset"), "quote", "token")!;
    }

    /// <summary>Buys; the purchase's id or the code of the refusal.</summary>
    public static async Task<(string? Id, string? Code)> BuyAsync(
        HttpClient buyer, string quote, string key = "buy-1", string? recipient = null)
    {
        var payload = (await AskAsync(
            buyer,
            "mutation($input: PurchaseDatasetInput!) { purchaseDataset(input: $input) { purchase { id } error { code } } }",
            new { input = new { idempotencyKey = key, quote, recipient = recipient ?? Recipient } }))
            .GetProperty("purchaseDataset");
        return (Text(payload, "purchase", "id"), Text(payload, "error", "code"));
    }

    /// <summary>The grant's files by name, or the code of the refusal.</summary>
    public static async Task<(Dictionary<string, JsonElement>? Files, string? Code)> GrantAsync(HttpClient buyer, string? purchaseId)
    {
        var payload = (await AskAsync(
            buyer,
            "mutation($input: GrantDeliveryInput!) { grantDelivery(input: $input) "
            + "{ grant { files { name path bytes sha256 } } error { code } } }",
            new { input = new { purchaseId } })).GetProperty("grantDelivery");
        var grant = payload.GetProperty("grant");
        return grant.ValueKind == JsonValueKind.Object
            ? (grant.GetProperty("files").EnumerateArray().ToDictionary(file => file.GetProperty("name").GetString()!), null)
            : (null, Text(payload, "error", "code"));
    }

    public static async Task<JsonElement> AskAsync(HttpClient client, string query, object variables)
    {
        using var response = await client.PostAsJsonAsync("/graphql", new { query, variables }, Ct);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Ct);
        Assert.False(answer.TryGetProperty("errors", out var errors), errors.ValueKind == default ? "" : errors.ToString());
        return answer.GetProperty("data");
    }

    private static string? Text(JsonElement payload, string member, string name) =>
        payload.GetProperty(member) is { ValueKind: JsonValueKind.Object } found ? found.GetProperty(name).GetString() : null;

    private static async Task<LumoraApp> StartAppAsync(string connection, string folder, string releaseAfter, string sweepEvery)
    {
        var app = new LumoraApp(
            connection, folder,
            new Dictionary<string, string>
            {
                ["Market:ReleaseAfter"] = releaseAfter,
                ["Market:SweepEvery"] = sweepEvery,
                ["Lumora:Identity:AttemptsPerMinute"] = "1000",
            },
            services => services.Replace(ServiceDescriptor.Singleton<IAcceptedResults, GivenResults>()));
        await app.StartAsync();
        return app;
    }

    /// <summary>Three results of 1,000 records for every collection.</summary>
    private sealed class GivenResults : IAcceptedResults
    {
        public Task<IReadOnlyList<AcceptedResult>> ListAsync(string collectionId, CancellationToken ct) =>
            Task.FromResult<IReadOnlyList<AcceptedResult>>(
            [
                .. Enumerable.Range(0, 3).Select(i => new AcceptedResult(
                    $"result_{i}", collectionId, $"task_{i}", MerkleHash.EmptyRoot.ToString(), 1_000,
                    Convert.ToHexStringLower(SHA256.HashData([(byte)i])), "", DateTimeOffset.UnixEpoch)),
            ]);

        public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadRecordsAsync(
            AcceptedResult result, [EnumeratorCancellation] CancellationToken ct)
        {
            for (var i = 0; i < 1_000; i++)
            {
                await Task.CompletedTask;
                yield return Encoding.UTF8.GetBytes(
                    $$"""{"url":"https://a.test/{{result.TaskId}}/{{i}}","fetchedAt":"2026-01-01T00:00:00.000000Z","title":"Page {{i}}","size":"{{i * 7}}"}""");
            }
        }
    }
}
