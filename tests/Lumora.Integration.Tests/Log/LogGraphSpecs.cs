using System.Text;
using System.Text.Json;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Domain.Log;
using Lumora.Integration.Tests.GraphQL;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Log;

/// <summary>Events and checkpoints through GraphQL, as a stranger sees them.</summary>
public sealed class LogGraphSpecs(AppFixture fixture) : IClassFixture<AppFixture>
{
    private const string Fields = "id index shard stream version type at actor causation data leafHash proofPath detachedData { sha256 length path }";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_is_what_its_leaf_says_and_links_to_its_proof()
    {
        var (id, stream) = await LogBench.AppendAsync(fixture.App, "one");
        var index = await LogBench.PublishedAsync(fixture.App, id);
        var found = (await LogBench.AskAsync(fixture.Client, $"query($id: ID!) {{ event(id: $id) {{ {Fields} }} }}", new { id }))
            .At("data", "event");

        var entry = await fixture.Client.GetByteArrayAsync($"/log/main/entry/{id}", Ct);
        var (leaf, data) = Leaf.Decode(entry);
        Assert.Equal(id.ToString(), found.At("id").GetString());
        Assert.Equal($"{index}", found.At("index").GetString());
        Assert.Equal(stream, found.At("stream").GetString());
        Assert.Equal("node_registered", found.At("type").GetString());
        Assert.Equal("system:test", found.At("actor").GetString());
        Assert.Equal(leaf.At, found.At("at").GetDateTimeOffset());
        Assert.Equal(Encoding.UTF8.GetString(data.Span), found.At("data").GetString());
        Assert.Equal(JsonValueKind.Null, found.At("detachedData").ValueKind);
        var key = VerifierKey.Parse((await fixture.Client.GetStringAsync("/log/main/key", Ct)).TrimEnd('\n'));
        LogProofVerifier.Verify(await fixture.Client.GetByteArrayAsync(found.At("proofPath").GetString(), Ct), entry, key);
    }

    [Fact]
    public async Task Events_come_in_the_order_of_the_log_page_by_page_in_both_directions()
    {
        for (var i = 0; i < 6; i++)
            await LogBench.AppendAsync(fixture.App, $"page{i}");
        var (last, _) = await LogBench.AppendAsync(fixture.App, "page-last");
        var index = await LogBench.PublishedAsync(fixture.App, last);

        var seen = new List<string>();
        for (string? after = null; ;)
        {
            var page = await EventsAsync("first: 3, after: $after", new { after });
            seen.AddRange(page.At("nodes").EnumerateArray().Select(node => node.At("index").GetString()!));
            if (!page.At("pageInfo", "hasNextPage").GetBoolean())
                break;
            after = page.At("pageInfo", "endCursor").GetString();
        }

        Assert.Equal(Enumerable.Range(0, seen.Count).Select(i => $"{i}"), seen);
        Assert.True(seen.Count > index);
        var backward = await EventsAsync("last: 2, before: $after", new { after = Cursor(4) });
        Assert.Equal(["2", "3"], backward.At("nodes").EnumerateArray().Select(node => node.At("index").GetString()!));
    }

    [Fact]
    public async Task Events_are_filtered_by_stream_and_by_type()
    {
        var (other, _) = await LogBench.AppendAsync(fixture.App, "other");
        var (id, stream) = await LogBench.AppendAsync(fixture.App, "filtered");
        await LogBench.PublishedAsync(fixture.App, id);

        var found = await EventsAsync("stream: $s, type: \"node_registered\"", new { s = stream });
        Assert.Equal([id.ToString()], found.At("nodes").EnumerateArray().Select(node => node.At("id").GetString()!));
        Assert.Empty((await EventsAsync("stream: $s, type: \"anchor_prepared\"", new { s = stream })).At("nodes").EnumerateArray());
        var typed = await EventsAsync("type: \"node_registered\"", new { });
        Assert.Contains(other.ToString(), typed.At("nodes").EnumerateArray().Select(node => node.At("id").GetString()));
        Assert.Empty((await EventsAsync("shard: \"nowhere\"", new { })).At("nodes").EnumerateArray());
    }

    [Fact]
    public async Task The_checkpoint_is_the_signed_note_that_the_log_serves()
    {
        var (id, _) = await LogBench.AppendAsync(fixture.App, "checkpoint");
        await LogBench.PublishedAsync(fixture.App, id);
        var before = DateTimeOffset.UtcNow.AddMinutes(-2);
        var found = (await LogBench.AskAsync(
            fixture.Client, "{ checkpoint { shard origin size root note key publishedAt } none: checkpoint(shard: \"nowhere\") { size } }"))
            .At("data");

        var checkpoint = NoteVerifier.VerifyCheckpoint(
            Encoding.UTF8.GetBytes(found.At("checkpoint", "note").GetString()!),
            VerifierKey.Parse(found.At("checkpoint", "key").GetString()!)).Checkpoint;
        Assert.Equal($"{checkpoint.Size}", found.At("checkpoint", "size").GetString());
        Assert.Equal(checkpoint.Root.ToBase64(), found.At("checkpoint", "root").GetString());
        Assert.Equal(checkpoint.Origin, found.At("checkpoint", "origin").GetString());
        Assert.InRange(found.At("checkpoint", "publishedAt").GetDateTimeOffset(), before, DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.Equal(JsonValueKind.Null, found.At("none").ValueKind);
    }

    [Theory]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("nonsense")]
    public async Task An_event_that_is_not_there_is_null(string id)
    {
        var answer = await LogBench.AskAsync(fixture.Client, "query($id: ID!) { event(id: $id) { id } }", new { id });
        Assert.Equal(JsonValueKind.Null, answer.At("data", "event").ValueKind);
    }

    [Fact]
    public async Task Without_a_chain_there_are_no_anchors()
    {
        var answer = await LogBench.AskAsync(
            fixture.Client, "{ anchors { nodes { size state signature slot finalizedAt } pageInfo { hasNextPage } } }");
        Assert.Empty(answer.At("data", "anchors", "nodes").EnumerateArray());
    }

    private static string Cursor(long index) =>
        System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"1:{index}"));

    private async Task<JsonElement> EventsAsync(string arguments, object variables)
    {
        var declared = arguments.Contains("$after", StringComparison.Ordinal) ? "($after: String)"
            : arguments.Contains("$s", StringComparison.Ordinal) ? "($s: String)" : "";
        var answer = await LogBench.AskAsync(
            fixture.Client,
            $"query{declared} {{ events({arguments}) {{ nodes {{ {Fields} }} pageInfo {{ hasNextPage endCursor }} }} }}", variables);
        Assert.False(answer.TryGetProperty("errors", out var errors), errors.ToString());
        return answer.At("data", "events");
    }
}
