using GraphQL.Types;

namespace Lumora.Integration.Tests.GraphQL;

public sealed class SchemaSpecs
{
    [Fact]
    public async Task A_root_field_without_a_declared_audience_stops_the_start_and_is_named()
    {
        await using var host = new SchemaHost(typeof(Probe.Undeclared), typeof(Probe.Mutation));
        var error = Assert.Throws<InvalidOperationException>(() => host.Schema.Initialize());
        Assert.Contains("Query.forgotten", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"1500000000\"")]
    [InlineData("\"0\"")]
    [InlineData("\"9223372036854775807\"")]
    public async Task Amounts_travel_as_text_without_loss(string literal)
    {
        await using var host = SchemaHost.OfProbes();
        var expected = literal.Trim('"');
        var byLiteral = await host.RunAsync($"{{ echo(value: {literal}) }}");
        var byVariable = await host.RunAsync("query($v: Amount!) { echo(value: $v) }", new { v = expected });
        Assert.Equal(expected, byLiteral.At("data", "echo").GetString());
        Assert.Equal(expected, byVariable.At("data", "echo").GetString());
    }

    [Theory]
    [InlineData("5")]
    [InlineData("5.0")]
    [InlineData("true")]
    [InlineData("\"05\"")]
    [InlineData("\"+5\"")]
    [InlineData("\" 5\"")]
    [InlineData("\"-5\"")]
    [InlineData("\"5.0\"")]
    [InlineData("\"\"")]
    [InlineData("\"9223372036854775808\"")]
    public async Task Anything_but_a_canonical_amount_is_refused_as_literal_and_as_variable(string json)
    {
        await using var host = SchemaHost.OfProbes();
        var variable = System.Text.Json.JsonDocument.Parse(json).RootElement;
        var byLiteral = await host.RunAsync($"{{ echo(value: {json}) }}");
        var byVariable = await host.RunAsync("query($v: Amount!) { echo(value: $v) }", new { v = variable });
        Assert.False(byLiteral.TryGetProperty("data", out _));
        Assert.False(byVariable.TryGetProperty("data", out _));
        Assert.NotNull(byLiteral.Code());
        Assert.NotNull(byVariable.Code());
    }

    [Fact]
    public async Task Long_numbers_are_text_beyond_the_precision_of_doubles()
    {
        await using var host = SchemaHost.OfProbes();
        var answer = await host.RunAsync("{ number(value: \"-9007199254740993\") }");
        Assert.Equal("-9007199254740993", answer.At("data", "number").GetString());
        Assert.NotNull((await host.RunAsync("{ number(value: 7) }")).Code());
    }

    [Theory]
    [InlineData("2026-01-31T23:59:59.1234567Z", "2026-01-31T23:59:59.123456Z")]
    [InlineData("2026-01-31T23:59:59+01:00", "2026-01-31T22:59:59.000000Z")]
    public async Task Moments_are_answered_in_utc_with_six_decimals(string given, string expected)
    {
        await using var host = SchemaHost.OfProbes();
        var answer = await host.RunAsync($"{{ moment(value: \"{given}\") }}");
        Assert.Equal(expected, answer.At("data", "moment").GetString());
    }

    [Theory]
    [InlineData("2026-01-31")]
    [InlineData("2026-01-31T23:59:59")]
    [InlineData("31.01.2026")]
    public async Task A_moment_without_time_or_offset_is_refused(string given)
    {
        await using var host = SchemaHost.OfProbes();
        Assert.NotNull((await host.RunAsync($"{{ moment(value: \"{given}\") }}")).Code());
    }

    [Fact]
    public async Task Rejections_are_payload_fields_not_errors()
    {
        await using var host = SchemaHost.OfProbes();
        var answer = await host.RunAsync("mutation { count(input: { by: 4 }) { total error { code message field } } }");
        Assert.False(answer.TryGetProperty("errors", out _));
        Assert.Equal("too_much", answer.At("data", "count", "error", "code").GetString());
        Assert.Equal("by", answer.At("data", "count", "error", "field").GetString());
    }

    [Fact]
    public async Task Types_are_named_without_view_and_described_by_their_documentation()
    {
        await using var host = SchemaHost.OfProbes();
        host.Schema.Initialize();
        var row = Assert.IsAssignableFrom<IObjectGraphType>(host.Schema.AllTypes["RowConnection"]);
        Assert.NotNull(host.Schema.AllTypes["RowEdge"]);
        Assert.Equal("The rows of this page with their cursors, in the list's order.", row.Fields.Find("edges")!.Description);
    }
}
