namespace Lumora.Integration.Tests.GraphQL;

public sealed class PagingSpecs
{
    private const string Fields = "{ nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";

    [Fact]
    public async Task Walking_forward_by_cursor_sees_every_row_once()
    {
        await using var host = SchemaHost.OfProbes();
        var seen = new List<string>();
        for (string? after = null; ;)
        {
            var page = (await host.RunAsync($"query($a: String) {{ rows(first: 300, after: $a) {Fields} }}", new { a = after }))
                .At("data", "rows");
            seen.AddRange(page.At("nodes").EnumerateArray().Select(row => row.At("id").GetString()!));
            if (!page.At("pageInfo", "hasNextPage").GetBoolean())
                break;
            after = page.At("pageInfo", "endCursor").GetString();
        }
        Assert.Equal(Enumerable.Range(0, 1000).Select(n => $"{n:D3}"), seen, StringComparer.Ordinal);
    }

    [Fact]
    public async Task The_last_rows_come_in_the_order_of_the_list()
    {
        await using var host = SchemaHost.OfProbes();
        var last = (await host.RunAsync($"{{ rows(last: 2) {Fields} }}")).At("data", "rows");
        Assert.Equal("998", last.At("nodes", 0, "id").GetString());
        Assert.Equal("999", last.At("nodes", 1, "id").GetString());
        Assert.True(last.At("pageInfo", "hasPreviousPage").GetBoolean());

        var before = (await host.RunAsync(
            $"query($b: String) {{ rows(last: 2, before: $b) {Fields} }}",
            new { b = last.At("pageInfo", "startCursor").GetString() })).At("data", "rows");
        Assert.Equal("996", before.At("nodes", 0, "id").GetString());
        Assert.True(before.At("pageInfo", "hasNextPage").GetBoolean());
    }

    [Fact]
    public async Task A_page_has_fifty_rows_unless_asked_otherwise()
    {
        await using var host = SchemaHost.OfProbes();
        var page = (await host.RunAsync($"{{ rows {Fields} }}")).At("data", "rows");
        Assert.Equal(50, page.At("nodes").GetArrayLength());
    }

    [Theory]
    [InlineData("first: 501", "PAGE_TOO_LARGE")]
    [InlineData("last: 501", "PAGE_TOO_LARGE")]
    [InlineData("first: 0", "INVALID_PAGE")]
    [InlineData("first: -1", "INVALID_PAGE")]
    [InlineData("first: 1, last: 1", "INVALID_PAGE")]
    [InlineData("after: \"998\"", "INVALID_CURSOR")]
    [InlineData("before: \"???\"", "INVALID_CURSOR")]
    [InlineData("after: \"\"", "INVALID_CURSOR")]
    public async Task A_page_outside_the_bounds_is_refused_with_a_code(string arguments, string code)
    {
        await using var host = SchemaHost.OfProbes();
        Assert.Equal(code, (await host.RunAsync($"{{ rows({arguments}) {Fields} }}")).Code());
    }

    [Fact]
    public async Task One_level_is_loaded_with_one_query_and_each_key_once()
    {
        await using var host = SchemaHost.OfProbes();
        var page = (await host.RunAsync("{ rows(first: 30) { nodes { id owner { name } } } }")).At("data", "rows", "nodes");
        Assert.Equal([3], host.Get<Probe.Fetches>());
        Assert.Equal("owner 1", page.At(1, "owner", "name").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, page.At(2, "owner").ValueKind);
    }
}
