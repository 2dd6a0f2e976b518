using System.Globalization;
using System.Text;
using GraphQL;
using GraphQL.SystemTextJson;
using Lumora.Api.GraphQL;
using Lumora.Api.Identity;
using Lumora.Api.Ledger;
using Lumora.Api.Log;
using Lumora.Api.Nodes;
using Lumora.Api.Tasks;
using Lumora.Chain.Tests.Fuzzing;
using Lumora.Domain.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Lumora.Integration.Tests.Fuzzing;

/// <summary>Fuzzers of what callers send to the host: query strings, cursors, GraphQL over HTTP, and lines of results.</summary>
public sealed class RequestFuzzTests
{
    /// <summary>What is taken asks for the same when it is written again.</summary>
    [Fact]
    public void Queries_of_the_export() => Fuzz.Parser(
        [Bytes("?from=5&limit=100&checkpoint=9223372036854775807&shard=main"), Bytes("?after=0193a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b"), Bytes("")],
        input =>
        {
            var query = Value(ExportQuery.Read(Query(input)));
            Assert.True(query is not { From: not null, After: not null } && query.From is null or >= 0 && query.Limit is null or >= 1 && query.Checkpoint is null or >= 0);
            Assert.Equal(query, Value(ExportQuery.Read(Query(Bytes(Written(query))))));
            return input;
        },
        allocatedPerByte: 1_000);

    [Fact]
    public void Queries_of_a_statement() => Fuzz.Parser(
        [Bytes("?asset=LMR&from=2026-01-31T23:59:59Z&to=2026-02-01T12:00:00%2B01:00&after=5&limit=10"), Bytes("")],
        input =>
        {
            if (StatementRequest.Read(Query(input), out var request) is { } refused)
                throw new FormatException(refused.Code);
            Assert.True(LedgerArguments.IsAsset(request.Asset) && !(request.From > request.To) && request.After >= 0);
            Assert.InRange(request.Limit, 1, StatementExport.RowsMax);
            return input;
        },
        allocatedPerByte: 1_000);

    /// <summary>A cursor is refused with the code for it, or names a place.</summary>
    [Fact]
    public void Cursors() => Fuzz.Parser(
        [Bytes("MToxMjM"), Bytes("MTpk6Q")],
        input =>
        {
            var page = PageRequest.From(first: 5, Encoding.Latin1.GetString(input), last: null, before: null);
            Assert.NotNull(page.After);
            return input;
        },
        [typeof(ExecutionError)]);

    /// <summary>Of the ids that anybody may send before anything is known of them.</summary>
    [Fact]
    public void Ids_of_nodes_and_wallets() => Fuzz.Parser(
        [Bytes("GwAF45zjfyGzUbd3i3hXxzGeuchzEZXwpRYHZM5912F1"), Bytes("11111111111111111111111111111111")],
        input =>
        {
            var text = Encoding.UTF8.GetString(input);
            var key = NodeKey.Read(text);
            Assert.Equal(key, Wallet.Decode(text));
            return key is { Length: 32 } ? input : throw new FormatException("refused");
        },
        iterations: 2_000);

    [Fact]
    public void Bodies_of_GraphQL()
    {
        var requests = new GraphQLHttpRequest(new GraphQLSerializer());
        Fuzz.Parser(
            [
                Bytes("""{"query":"query($a: Int) { x(a: $a) }","operationName":null,"variables":{"a":[1,"2",null,{"b":1.5}]},"extensions":{}}"""),
                Bytes("""{"query":"{ x }"}"""),
            ],
            input =>
            {
                var context = new DefaultHttpContext();
                context.Request.Method = HttpMethods.Post;
                context.Request.ContentType = "application/json";
                context.Request.Body = new MemoryStream(input);
                return Taken(requests.ReadAsync(context.Request, 100_000, TestContext.Current.CancellationToken).GetAwaiter().GetResult(), input);
            },
            allocatedPerByte: 400);
    }

    [Fact]
    public void Query_strings_of_GraphQL()
    {
        var requests = new GraphQLHttpRequest(new GraphQLSerializer());
        Fuzz.Parser(
            [Bytes("?query=%7B%20x%20%7D&variables=%7B%22a%22%3A1%7D&operationName=x")],
            input =>
            {
                var context = new DefaultHttpContext();
                context.Request.Method = HttpMethods.Get;
                context.Request.Query = Query(input);
                return Taken(requests.ReadAsync(context.Request, 100_000, TestContext.Current.CancellationToken).GetAwaiter().GetResult(), input);
            },
            allocatedPerByte: 1_000);
    }

    [Fact]
    public void Lines_of_a_result() => Fuzz.Parser(
        [Bytes("{\"a\":1}\n{\"a\":2}\n"), Bytes("{}\n\n\nx")],
        input =>
        {
            var lines = ReadAsync(new MemoryStream(input)).GetAwaiter().GetResult();
            var text = Encoding.Latin1.GetString(input);
            Assert.Equal(text.Length == 0 || text.EndsWith('\n') ? text.Split('\n')[..^1] : text.Split('\n'), lines);
            return input;
        },
        iterations: 1_000, allocatedPerByte: 1_000);

    private static async Task<List<string>> ReadAsync(Stream stream)
    {
        var lines = new List<string>();
        await foreach (var line in NdjsonLines.ReadAsync(stream, TestContext.Current.CancellationToken))
            lines.Add(Encoding.Latin1.GetString(line.Span));
        return lines;
    }

    private static byte[] Taken(Reading reading, byte[] input)
    {
        Assert.True(reading.Request is null != reading.Refusal is null);
        Assert.True(reading.Refusal is null || reading.Status is >= 400 and < 500);
        return reading.Request?.Query is null ? throw new FormatException(reading.Refusal!.Message) : input;
    }

    private static T Value<T>(Result<T> result) => result.Value ?? throw new FormatException(result.Rejection!.Code);

    private static QueryCollection Query(byte[] input) => new(QueryHelpers.ParseQuery(Encoding.Latin1.GetString(input)));

    private static string Written(ExportQuery query) => QueryHelpers.AddQueryString("", new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["shard"] = query.Shard,
        ["from"] = Text(query.From),
        ["after"] = query.After?.ToString(),
        ["limit"] = Text(query.Limit),
        ["checkpoint"] = Text(query.Checkpoint),
    }.Where(pair => pair.Value is not null));

    private static string? Text(long? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
