using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Tasks;

/// <summary>Nodes, collections and epochs through GraphQL, as stranger, owner, another user and steward.</summary>
public sealed class WorkGraphSpecs(WorkFixture fixture) : IClassFixture<WorkFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_provider_registers_a_node_and_nobody_else_sees_it()
    {
        using var owner = new HttpClient { BaseAddress = fixture.App.Address };
        using var other = new HttpClient { BaseAddress = fixture.App.Address };
        var signedIn = await new TestWallet().SignInAsync(owner, Ct);
        await new TestWallet().SignInAsync(other, Ct);
        using var node = new TestNode(fixture.App.Address, fixture.Clock);

        var stolen = await AskAsync(other, Register, new { nodeId = node.Id, proof = node.Proof(signedIn.ParticipantId) });
        Assert.Equal("invalid_proof", stolen.GetProperty("registerNode").GetProperty("error").GetProperty("code").GetString());
        var mine = await AskAsync(owner, Register, new { nodeId = node.Id, proof = node.Proof(signedIn.ParticipantId) });
        Assert.Equal(node.Id, mine.GetProperty("registerNode").GetProperty("node").GetProperty("id").GetString());

        const string Query = "query($i: ID!) { nodes { nodes { id } } nodeDiagnostics(nodeId: $i) { accepted node { id } } }";
        var seen = await SendAsync(owner, Query, new { i = node.Id });
        Assert.Equal(node.Id, seen.GetProperty("nodes").GetProperty("nodes")[0].GetProperty("id").GetString());
        Assert.Equal(0, seen.GetProperty("nodeDiagnostics").GetProperty("accepted").GetInt32());
        var hidden = await SendAsync(other, Query, new { i = node.Id });
        Assert.Equal(0, hidden.GetProperty("nodes").GetProperty("nodes").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, hidden.GetProperty("nodeDiagnostics").ValueKind);
    }

    [Fact]
    public async Task Everything_that_is_wrong_with_a_collection_is_told_at_once_and_a_good_one_runs()
    {
        using var steward = new HttpClient { BaseAddress = fixture.App.Address };
        await WorkFixture.StewardWallet.SignInAsync(steward, Ct);
        var bad = (await AskAsync(steward, Propose, Collection("h1[", "http://10.0.0.1/"))).GetProperty("proposeCollection");
        Assert.Equal(
            ["urls[0]", "fields[0]"],
            bad.GetProperty("problems").EnumerateArray().Select(problem => problem.GetProperty("field").GetString()));
        Assert.Equal(JsonValueKind.Null, bad.GetProperty("collection").ValueKind);

        var good = (await AskAsync(steward, Propose, Collection("h1", "https://graph.example/"))).GetProperty("proposeCollection");
        Assert.Equal(JsonValueKind.Null, good.GetProperty("error").ValueKind);
        var id = good.GetProperty("collection").GetProperty("id").GetString()!;
        await fixture.CollectionInAsync(id, Domain.Tasks.CollectionPhase.Running);
        var tasks = await SendAsync(steward, "query($i: ID!) { tasks(collectionId: $i) { nodes { phase pages } } }", new { i = id });
        Assert.Equal(1, tasks.GetProperty("tasks").GetProperty("nodes").GetArrayLength());
    }

    [Fact]
    public async Task Only_a_steward_closes_epochs_and_earnings_say_that_they_cannot_be_withdrawn_yet()
    {
        using var provider = new HttpClient { BaseAddress = fixture.App.Address };
        using var steward = new HttpClient { BaseAddress = fixture.App.Address };
        await new TestWallet().SignInAsync(provider, Ct);
        await WorkFixture.StewardWallet.SignInAsync(steward, Ct);
        var input = new { epoch = "999999999", reason = "a test", idempotencyKey = "graph-1" };

        using var refused = await PostAsync(provider, Close, new { input });
        Assert.Contains("FORBIDDEN", await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        var early = await AskAsync(steward, Close, input);
        Assert.Equal("epoch_not_begun", early.GetProperty("closeEpoch").GetProperty("error").GetProperty("code").GetString());
        var earnings = (await SendAsync(provider, "{ earnings { total withdrawable withdrawalNote } }", new { })).GetProperty("earnings");
        Assert.Equal("0", earnings.GetProperty("withdrawable").GetString());
        Assert.Contains("Not withdrawable yet", earnings.GetProperty("withdrawalNote").GetString(), StringComparison.Ordinal);
    }

    private const string Register =
        "mutation($input: RegisterNodeInput!) { registerNode(input: $input) { node { id } error { code } } }";

    private const string Propose =
        "mutation($input: ProposeCollectionInput!) { proposeCollection(input: $input) { collection { id phase } error { code } problems { code message field } } }";

    private const string Close =
        "mutation($input: CloseEpochInput!) { closeEpoch(input: $input) { epoch { paid } error { code } } }";

    private static object Collection(string selector, string url) => new
    {
        title = "Pages",
        purpose = "A test.",
        licence = "CC0-1.0",
        allowedHosts = (string[])[new Uri(url).Host],
        urls = (string[])[url],
        fields = (object[])[new { field = "title", selector }],
    };

    private static Task<JsonElement> AskAsync(HttpClient client, string mutation, object input) =>
        SendAsync(client, mutation, new { input });

    private static async Task<JsonElement> SendAsync(HttpClient client, string query, object variables)
    {
        using var response = await PostAsync(client, query, variables);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct));
        Assert.False(document.RootElement.TryGetProperty("errors", out var errors), errors.ToString());
        return document.RootElement.GetProperty("data").Clone();
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string query, object variables) =>
        client.PostAsJsonAsync("/graphql", new { query, variables }, Ct);
}
