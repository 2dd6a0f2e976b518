using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lumora.Integration.Tests.GraphQL;

public sealed class TransportSpecs(GraphQLHost host) : IClassFixture<GraphQLHost>
{
    private const string Spec = "application/graphql-response+json";

    [Theory]
    [InlineData(null, "application/json")]
    [InlineData("*/*", "application/json")]
    [InlineData("application/json", "application/json")]
    [InlineData(Spec, Spec)]
    [InlineData("application/json;q=0.5, application/graphql-response+json", Spec)]
    [InlineData("application/json, application/graphql-response+json;q=0.5", "application/json")]
    [InlineData("text/html, application/graphql-response+json, */*;q=0.1", Spec)]
    public async Task The_answer_is_in_the_media_type_that_was_asked_for(string? accept, string expected)
    {
        var answer = await host.PostAsync("""{"query":"{ hello }"}""", accept);
        Assert.Equal(200, answer.Status);
        Assert.Equal(expected + "; charset=utf-8", answer.ContentType);
        Assert.Equal("hello", answer.Json.At("data", "hello").GetString());
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/json;q=0")]
    public async Task A_client_that_accepts_no_json_is_told_so(string accept)
    {
        var answer = await host.PostAsync("""{"query":"{ hello }"}""", accept);
        Assert.Equal((406, "NOT_ACCEPTABLE"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/graphql")]
    [InlineData("application/json; charset=utf-16")]
    public async Task Only_json_in_utf8_is_read(string? contentType)
    {
        var answer = await host.PostAsync("""{"query":"{ hello }"}""", contentType: contentType);
        Assert.Equal((415, "UNSUPPORTED_MEDIA_TYPE"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""[{"query":"{ hello }"}]""")]
    [InlineData("{}")]
    [InlineData("""{"query":null}""")]
    [InlineData("""{"query":1}""")]
    [InlineData("""{"query":"{ hello }","variables":"{}"}""")]
    [InlineData("""{"query":"{ hello }","variables":[1]}""")]
    [InlineData("""{"query":"{ hello }","extensions":1}""")]
    [InlineData("""{"query":"{ hello }","operationName":{}}""")]
    [InlineData("""{"query":"{ hello }","operationName":"\udfff"}""")]
    [InlineData("""{"query":"{ hello \ud800 }"}""")]
    [InlineData("""{"query":"{ hello }","variables":{"v":"\ud800"}}""")]
    [InlineData("""{"query":"{ hello }","variables":{"v":1,"v":2}}""")]
    [InlineData("""{"query":"{ hello }","variables":{"v":["a\u0000b"]}}""")]
    public async Task A_malformed_request_is_400_with_a_code_in_both_media_types(string body)
    {
        foreach (var accept in (string[])[Spec, "application/json"])
        {
            var answer = await host.PostAsync(body, accept);
            Assert.Equal((400, "BAD_REQUEST"), (answer.Status, answer.Code));
        }
    }

    [Theory]
    [InlineData("{", "SYNTAX_ERROR")]
    [InlineData("{ unknown }", "FIELDS_ON_CORRECT_TYPE")]
    [InlineData("query($v: Amount!) { echo(value: $v) }", "INVALID_VALUE")]
    [InlineData("subscription { hello }", "BAD_REQUEST")]
    [InlineData("{ echo(value: \"a\\u0000\") }", "BAD_REQUEST")]
    [InlineData("{ echo(value: \"\\ud800\") }", null)]
    [InlineData("fragment F on Query { hello }", null)]
    [InlineData("", null)]
    public async Task A_document_that_cannot_run_is_400_or_200_by_media_type(string query, string? code)
    {
        var strict = await host.QueryAsync(query);
        var legacy = await host.PostAsync(JsonSerializer.Serialize(new { query }), "application/json");
        Assert.Equal((400, 200), (strict.Status, legacy.Status));
        Assert.False(strict.Json.TryGetProperty("data", out _));
        Assert.NotNull(strict.Code);
        if (code is not null)
            Assert.Equal(code, strict.Code);
    }

    [Fact]
    public async Task Bytes_that_are_no_utf8_are_refused_with_a_code()
    {
        using var content = new ByteArrayContent([.. "{\"query\":\"{ hello "u8, 0xff, 0xfe, .. " }\"}"u8]);
        content.Headers.ContentType = new("application/json");
        using var answer = await host.Client.PostAsync(host.Endpoint, content, TestContext.Current.CancellationToken);
        Assert.Equal(400, (int)answer.StatusCode);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("BAD_REQUEST", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_and_types_that_nest_by_the_thousand_are_refused_with_a_code()
    {
        var list = string.Concat(Enumerable.Repeat("[", 1_500)) + string.Concat(Enumerable.Repeat("]", 1_500));
        Assert.Equal("DOCUMENT_TOO_LARGE", (await host.QueryAsync($"{{ echo(value: {list}) }}")).Code);
        Assert.Equal(
            "DOCUMENT_TOO_LARGE", (await host.QueryAsync($"query($v: {list.Replace("[]", "[Int]", StringComparison.Ordinal)}) {{ hello }}")).Code);
    }

    [Fact]
    public async Task Get_runs_queries_with_variables_but_never_a_mutation()
    {
        var query = Uri.EscapeDataString("query($v: Amount!) { echo(value: $v) }");
        var variables = Uri.EscapeDataString("""{"v":"7"}""");
        var read = await host.GetAsync($"query={query}&variables={variables}");
        Assert.Equal("7", read.Json.At("data", "echo").GetString());

        var write = await host.GetAsync("query=" + Uri.EscapeDataString("mutation { count(input: { by: 1 }) { total } }"));
        Assert.Equal((405, "METHOD_NOT_ALLOWED", "POST"), (write.Status, write.Code, write.Allow));
        var hidden = await host.GetAsync("operationName=M&query=" + Uri.EscapeDataString(
            "query Q { hello } mutation M { count(input: { by: 1 }) { total } }"));
        Assert.Equal(405, hidden.Status);
        Assert.Equal(400, (await host.GetAsync($"query={query}&variables=%7B")).Status);
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    public async Task Other_methods_are_405(string method)
    {
        var answer = await host.SendAsync(new HttpRequestMessage(new HttpMethod(method), host.Endpoint), null, null);
        Assert.Equal((405, "METHOD_NOT_ALLOWED", "GET, POST"), (answer.Status, answer.Code, answer.Allow));
    }

    [Fact]
    public async Task A_stranger_gets_401_and_another_role_403()
    {
        Assert.Equal((401, "UNAUTHENTICATED"), Of(await host.QueryAsync("{ whoAmI }")));
        Assert.Equal((403, "FORBIDDEN"), Of(await host.QueryAsync("{ secret }", "participant_1:consumer")));
        Assert.Equal("secret", (await host.QueryAsync("{ secret }", "p:steward")).Json.At("data", "secret").GetString());

        static (int, string?) Of(Answer answer) => (answer.Status, answer.Code);
    }

    [Fact]
    public async Task An_exception_shows_a_trace_id_and_nothing_else_and_is_logged()
    {
        var answer = await host.QueryAsync("{ hello boom }");
        Assert.Equal((200, "INTERNAL"), (answer.Status, answer.Code));
        Assert.Equal("hello", answer.Json.At("data", "hello").GetString());
        Assert.DoesNotContain("hunter2", answer.Text, StringComparison.Ordinal);
        var traceId = answer.Json.At("errors", 0, "extensions", "traceId").GetString()!;
        Assert.Contains(traceId, host.Log.Text, StringComparison.Ordinal);
        Assert.Contains("hunter2", host.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_413_with_and_without_a_declared_length()
    {
        var body = JsonSerializer.Serialize(new { query = "{ hello }", variables = new { pad = new string('x', 256 * 1024) } });
        Assert.Equal((413, "BODY_TOO_LARGE"), (await host.PostAsync(body) is { } a ? (a.Status, a.Code) : default));

        using var chunked = new HttpRequestMessage(HttpMethod.Post, host.Endpoint)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        chunked.Headers.TransferEncodingChunked = true;
        Assert.Equal(413, (await host.SendAsync(chunked, null, null)).Status);
    }

    [Fact]
    public async Task An_operation_that_takes_too_long_is_stopped()
    {
        var answer = await host.QueryAsync("{ forever }");
        Assert.Equal((503, "TIMEOUT"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Too_many_aliases_tokens_or_levels_are_refused_with_a_code()
    {
        var aliases = string.Join(' ', Enumerable.Range(0, 51).Select(n => $"a{n}: hello"));
        Assert.Equal("TOO_MANY_ALIASES", (await host.QueryAsync($"{{ {aliases} }}")).Code);

        var tokens = string.Join(' ', Enumerable.Repeat("hello", 4000));
        Assert.Equal("DOCUMENT_TOO_LARGE", (await host.QueryAsync($"{{ {tokens} }}")).Code);

        var page = "{ rows(first: 500) { nodes { owner { name } id ownerId } edges { node { id ownerId owner { name } } } } }";
        Assert.Equal(200, (await host.QueryAsync(page)).Status);
        var twenty = string.Join(' ', Enumerable.Range(0, 20).Select(n => $"p{n}: rows(first: 500) {{ edges {{ node {{ id ownerId owner {{ name }} }} }} }}"));
        Assert.Equal("COMPLEXITY", (await host.QueryAsync($"{{ {twenty} }}")).Code);

        var deep = string.Concat(Enumerable.Repeat("ofType { ", 30)) + "name" + string.Concat(Enumerable.Repeat(" }", 30));
        Assert.Equal("COMPLEXITY", (await host.QueryAsync($"{{ __type(name: \"Query\") {{ {deep} }} }}")).Code);
    }

    [Fact]
    public async Task Introspection_that_circles_through_the_types_of_fields_is_refused()
    {
        const string circle = "{ __schema { types { fields { type { fields { type { fields { type { fields { type { fields { name } } } } } } } } } } } }";
        Assert.Equal("COMPLEXITY", (await host.QueryAsync(circle)).Code);
    }

    [Fact]
    public async Task Fragments_that_double_at_every_level_are_refused_at_once()
    {
        var document = new StringBuilder("{ ...F0 }");
        for (var level = 0; level < 60; level++)
            document.Append(CultureInfo.InvariantCulture, $" fragment F{level} on Query {{ ...F{level + 1} ...F{level + 1} }}");
        document.Append(" fragment F60 on Query { hello }");
        Assert.Equal("DOCUMENT_TOO_LARGE", (await host.QueryAsync(document.ToString())).Code);
    }
}
