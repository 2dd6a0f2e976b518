namespace Lumora.Integration.Tests.GraphQL;

public sealed class AccessSpecs
{
    [Theory]
    [InlineData("{ whoAmI }")]
    [InlineData("{ secret }")]
    [InlineData("{ hello alias: secret }")]
    [InlineData("{ ... on Query { secret } }")]
    [InlineData("query Q { ...F } fragment F on Query { ...G } fragment G on Query { secret }")]
    [InlineData("{ secret @skip(if: true) hello }")]
    public async Task A_stranger_is_refused_and_nothing_runs(string query)
    {
        await using var host = SchemaHost.OfProbes();
        var answer = await host.RunAsync(query);
        Assert.Equal("UNAUTHENTICATED", answer.Code());
        Assert.False(answer.TryGetProperty("data", out _));
    }

    [Theory]
    [InlineData("provider")]
    [InlineData("8")]
    [InlineData("31")]
    [InlineData("none")]
    [InlineData("")]
    public async Task Another_role_is_forbidden(string role)
    {
        await using var host = SchemaHost.OfProbes();
        var answer = await host.RunAsync("{ secret }", user: SchemaHost.SignedIn("participant_1", role));
        Assert.Equal("FORBIDDEN", answer.Code());
    }

    [Fact]
    public async Task One_of_the_named_roles_is_enough()
    {
        await using var host = SchemaHost.OfProbes();
        var answer = await host.RunAsync("{ secret whoAmI }", user: SchemaHost.SignedIn("participant_1", "operator"));
        Assert.Equal("secret", answer.At("data", "secret").GetString());
        Assert.Equal("participant_1", answer.At("data", "whoAmI").GetString());
    }

    [Fact]
    public async Task A_forbidden_field_stops_the_mutation_beside_it()
    {
        await using var host = SchemaHost.OfProbes();
        var answer = await host.RunAsync("mutation { count(input: { by: 1 }) { total } stewardCount }");
        Assert.Equal("UNAUTHENTICATED", answer.Code());
        Assert.Equal(0, host.Get<Probe.Counter>().Total);
    }

    [Fact]
    public async Task Only_the_operation_that_runs_is_checked()
    {
        await using var host = SchemaHost.OfProbes();
        const string document = "query Open { hello } query Closed { ...F } fragment F on Query { secret }";
        var open = await host.RunAsync(document, operationName: "Open");
        var closed = await host.RunAsync(document, operationName: "Closed");
        Assert.Equal("hello", open.At("data", "hello").GetString());
        Assert.Equal("UNAUTHENTICATED", closed.Code());
    }
}
