using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;

namespace Lumora.Chain.Tests.Solana;

/// <summary>Servers whose history of an address does not end.</summary>
public sealed class LyingServerTests
{
    private const int PageRows = 1_000;

    private static readonly PublicKey Address = new("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG");

    [Fact]
    public async Task A_server_that_gives_the_same_page_again_is_at_fault()
    {
        using var http = new HttpClient(new History(_ => Page(0)));
        await Assert.ThrowsAsync<RpcUnavailableException>(() => SearchAsync(http));
    }

    [Fact]
    public async Task A_server_that_gives_more_rows_than_it_was_asked_for_is_at_fault()
    {
        using var http = new HttpClient(new History(_ => Page(0, rows: 11)));
        await Assert.ThrowsAsync<RpcUnavailableException>(() =>
            new RpcClient(http, new Uri("http://127.0.0.1:1")).GetSignaturesForAddressAsync(Address, limit: 10, ct: TestContext.Current.CancellationToken));
    }

    /// <summary>Without a limit on them, whoever follows the address would read on for ever.</summary>
    [Fact]
    public async Task A_search_through_transactions_that_all_failed_ends_at_its_limit()
    {
        var pages = 0;
        using var http = new HttpClient(new History(_ => Page(pages++)));
        await Assert.ThrowsAsync<SearchLimitException>(() => SearchAsync(http));
        Assert.Equal((MemoCheckpoints.TransactionsMax / PageRows) + 1, pages);
    }

    private static async Task SearchAsync(HttpClient http)
    {
        var rpc = new RpcClient(http, new Uri("http://127.0.0.1:1"));
        await foreach (var _ in MemoCheckpoints.SearchAsync(rpc, Address, [VerifierKey.Parse(GoldenLog.LogKey)], until: null, TestContext.Current.CancellationToken))
            Assert.Fail("Nothing is to be found.");
    }

    private static JsonArray Page(int page, int rows = PageRows) =>
    [
        .. Enumerable.Range(0, rows).Select(row => (JsonNode)new JsonObject
        {
            ["signature"] = string.Create(CultureInfo.InvariantCulture, $"signature-{page}-{row}"),
            ["slot"] = 1_000,
            ["err"] = "AccountNotFound",
        }),
    ];

    /// <summary>Answers every call with what the parameters give.</summary>
    private sealed class History(Func<JsonElement, JsonNode> answer) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var asked = JsonElement.Parse(await request.Content!.ReadAsByteArrayAsync(cancellationToken));
            Assert.Equal("getSignaturesForAddress", asked.GetProperty("method").GetString());
            var result = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 1, ["result"] = answer(asked.GetProperty("params")) };
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(result.ToJsonString()) };
        }
    }
}
