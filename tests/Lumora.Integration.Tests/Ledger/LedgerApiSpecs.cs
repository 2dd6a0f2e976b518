using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>The ledger as callers of the API see it.</summary>
public sealed class LedgerApiSpecs(LedgerApiFixture fixture) : IClassFixture<LedgerApiFixture>
{
    private const string AccountFields = "{ code asset balance balanceFormatted held floor status }";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_participant_sees_its_own_account()
    {
        var (client, code) = await ParticipantAsync(1_500_000_000);
        var account = await DataAsync(client, $$"""{ it: account(code: "{{code}}") {{AccountFields}} }""");
        Assert.Equal(code, account.GetProperty("code").GetString());
        Assert.Equal("1500000000", account.GetProperty("balance").GetString());
        Assert.Equal("1.5 LMR", account.GetProperty("balanceFormatted").GetString());
        Assert.Equal("0", account.GetProperty("held").GetString());
        Assert.Equal("0", account.GetProperty("floor").GetString());
        Assert.Equal("OPEN", account.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Somebody_elses_account_looks_exactly_like_an_unknown_one()
    {
        var (_, code) = await ParticipantAsync(1);
        var (stranger, _) = await ParticipantAsync(1);
        foreach (var other in (string[])[code, ChartOfAccounts.Available("participant_nobody"), "escrow/purchase_1", "no such/code", ""])
        {
            Assert.Equal(
                JsonValueKind.Null, (await DataAsync(stranger, $$"""{ it: account(code: "{{other}}") { balance } }""")).ValueKind);
            Assert.Equal(JsonValueKind.Null, (await EntriesAsync(stranger, other, "")).ValueKind);
        }
    }

    [Fact]
    public async Task Aggregates_show_their_balance_to_everyone_signed_in_and_their_entries_to_stewards()
    {
        var (client, _) = await ParticipantAsync(1);
        var emission = await DataAsync(client, $$"""{ it: account(code: "network/emission") {{AccountFields}} }""");
        Assert.StartsWith("-", emission.GetProperty("balance").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, emission.GetProperty("floor").ValueKind);
        var chain = await DataAsync(client, """{ it: account(code: "chain/solana") { balance } }""");
        Assert.Equal("0", chain.GetProperty("balance").GetString());
        Assert.Equal(JsonValueKind.Null, (await EntriesAsync(client, ChartOfAccounts.Emission, "")).ValueKind);

        var entries = await EntriesAsync(await StewardAsync(), ChartOfAccounts.Emission, "");
        Assert.NotEqual(0, entries.GetProperty("nodes").GetArrayLength());
    }

    [Fact]
    public async Task A_steward_sees_every_account_and_the_trial_balance_which_is_zero_in_all()
    {
        var (client, code) = await ParticipantAsync(7);
        var steward = await StewardAsync();
        var account = await DataAsync(steward, $$"""{ it: account(code: "{{code}}") {{AccountFields}} }""");
        Assert.Equal("7", account.GetProperty("balance").GetString());

        const string TrialBalance = "{ it: trialBalance { kind asset accounts balance balanceFormatted } }";
        var lines = (await DataAsync(steward, TrialBalance)).EnumerateArray().ToList();
        Assert.Contains(lines, line => line.GetProperty("kind").GetString() == "participant");
        Assert.Equal(0, lines.Sum(line => long.Parse(
            line.GetProperty("balance").GetString()!, System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal("FORBIDDEN", await RefusalAsync(client, TrialBalance, HttpStatusCode.Forbidden));
    }

    [Fact]
    public async Task Without_a_sign_in_nothing_is_shown()
    {
        using var nobody = fixture.App.CreateClient();
        foreach (var query in (string[])[
            """{ account(code: "network/fees") { balance } }""",
            """{ transactions(code: "network/fees") { nodes { kind } } }""",
            "{ trialBalance { kind } }"])
            Assert.Equal("UNAUTHENTICATED", await RefusalAsync(nobody, query, HttpStatusCode.Unauthorized));
    }

    [Fact]
    public async Task Entries_come_newest_first_in_pages_that_join_up_in_both_directions()
    {
        var (client, code) = await ParticipantAsync(10, 20, 30, 40, 50);
        var first = await EntriesAsync(client, code, "first: 2");
        Assert.Equal(["50", "40"], Amounts(first));
        var newest = first.GetProperty("nodes")[0];
        Assert.Equal("150", newest.GetProperty("balance").GetString());
        Assert.Equal("test", newest.GetProperty("kind").GetString());
        Assert.Equal("grant", newest.GetProperty("reference").GetProperty("type").GetString());
        Assert.EndsWith("Z", newest.GetProperty("at").GetString(), StringComparison.Ordinal);
        Assert.True(first.GetProperty("pageInfo").GetProperty("hasNextPage").GetBoolean());

        var second = await EntriesAsync(client, code, $"first: 3, after: \"{Cursor(first, "endCursor")}\"");
        Assert.Equal(["30", "20", "10"], Amounts(second));
        Assert.False(second.GetProperty("pageInfo").GetProperty("hasNextPage").GetBoolean());

        var back = await EntriesAsync(client, code, $"last: 1, before: \"{Cursor(second, "startCursor")}\"");
        Assert.Equal(["40"], Amounts(back));
        Assert.True(back.GetProperty("pageInfo").GetProperty("hasPreviousPage").GetBoolean());
        Assert.Equal(["20", "10"], Amounts(await EntriesAsync(client, code, "last: 2")));

        // The cursor "1:abc" has the form of a cursor and is none of this list.
        var refused = await RefusalAsync(client, Entries(code, "after: \"MTphYmM\""), HttpStatusCode.OK);
        Assert.Equal("INVALID_CURSOR", refused);
    }

    [Fact]
    public async Task The_metrics_page_counts_requests_batches_and_who_waits()
    {
        await ParticipantAsync(1);
        using var client = fixture.App.CreateClient();
        var lines = (await client.GetStringAsync("/metrics", Ct)).Split('\n');
        Assert.Contains(lines, line => line.StartsWith("lumora_ledger_requests_total{", StringComparison.Ordinal)
            && line.Contains("outcome=\"posted\"", StringComparison.Ordinal)
            && line.Contains("shard=\"main\"", StringComparison.Ordinal));
        foreach (var name in (string[])["batch_size_count", "commit_duration_seconds_count", "queue_length"])
            Assert.Contains(lines, line => line.StartsWith($"lumora_ledger_{name}{{", StringComparison.Ordinal));
    }

    private static string[] Amounts(JsonElement page) =>
        [.. page.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("amount").GetString()!)];

    private static string Cursor(JsonElement page, string name) =>
        page.GetProperty("pageInfo").GetProperty(name).GetString()!;

    private static string Entries(string code, string page) =>
        $$"""
        { it: transactions(code: "{{code}}"{{(page.Length == 0 ? "" : ", " + page)}}) {
            nodes { transactionId kind amount amountFormatted balance reference { type id } at }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }
        """;

    private static Task<JsonElement> EntriesAsync(HttpClient client, string code, string page) =>
        DataAsync(client, Entries(code, page));

    private static async Task<JsonElement> DataAsync(HttpClient client, string query)
    {
        using var response = await client.PostAsJsonAsync("/graphql", new { query }, Ct);
        var text = await response.Content.ReadAsStringAsync(Ct);
        var answer = JsonDocument.Parse(text).RootElement;
        Assert.False(answer.TryGetProperty("errors", out _), text);
        return answer.GetProperty("data").GetProperty("it");
    }

    private static async Task<string?> RefusalAsync(HttpClient client, string query, HttpStatusCode status)
    {
        using var response = await client.PostAsJsonAsync("/graphql", new { query }, Ct);
        Assert.Equal(status, response.StatusCode);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Ct);
        return answer.GetProperty("errors")[0].GetProperty("extensions").GetProperty("code").GetString();
    }

    private async Task<HttpClient> StewardAsync()
    {
        var client = fixture.App.CreateClient();
        await fixture.Steward.SignInAsync(client, Ct);
        return client;
    }

    /// <summary>Somebody new, paid each of <paramref name="units"/> in a transaction of its own.</summary>
    private async Task<(HttpClient Client, string Code)> ParticipantAsync(params long[] units)
    {
        var client = fixture.App.CreateClient();
        var id = (await new TestWallet().SignInAsync(client, Ct)).ParticipantId;
        var code = ChartOfAccounts.Available(id);
        var ledger = fixture.App.Get<ILedgers>().For(ShardRole.Global);
        var network = Actor.System("test");
        await ledger.AskAsync(new LedgerRequest(network, $"open/{id}", new OpenAccount(code)));
        for (var i = 0; i < units.Length; i++)
        {
            Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(new LedgerRequest(network, $"pay/{id}/{i}", new PostTransaction(
                "test", [new Posting(ChartOfAccounts.Emission, code, new Amount(units[i]))], new TransactionReference("grant", $"{i}")))));
        }

        return (client, code);
    }
}
