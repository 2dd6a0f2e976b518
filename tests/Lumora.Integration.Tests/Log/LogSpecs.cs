using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;
using Lumora.Domain.Nodes;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Log;

public sealed class LogSpecs(AppFixture fixture) : IClassFixture<AppFixture>
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private ShardLogs Logs => fixture.App.Get<ShardLogs>();

    private ShardLog Log => Logs.Find(ShardMap.DefaultShard)!;

    [Fact]
    public async Task An_event_comes_out_with_a_proof_that_holds_offline()
    {
        var (eventId, actor) = await AppendAsync("offline");
        await LogBench.PublishedAsync(fixture.App, eventId);

        var key = VerifierKey.Parse((await fixture.Client.GetStringAsync("/log/main/key", None)).TrimEnd('\n'));
        var proof = await fixture.Client.GetByteArrayAsync($"/log/main/proof/{eventId}", None);
        var entry = await fixture.Client.GetByteArrayAsync($"/log/main/entry/{eventId}", None);
        var verified = LogProofVerifier.Verify(proof, entry, key);
        Assert.Equal(eventId, verified.Leaf.Leaf.Id);
        Assert.Equal(actor.Id, verified.Leaf.Leaf.Actor);
        Assert.Equal("cause-1", verified.Leaf.Leaf.Causation);
        Assert.Equal("main", verified.Leaf.Leaf.Shard);
        Assert.StartsWith("lumora.invalid/", verified.Checkpoint.Checkpoint.Origin, StringComparison.Ordinal);

        entry[^2] ^= 1;
        Assert.Throws<VerificationException>(() => LogProofVerifier.Verify(proof, entry, key));
    }

    [Fact]
    public async Task The_published_log_is_whole_and_equals_the_export_and_the_events()
    {
        for (var i = 0; i < 300; i++)
            await AppendAsync($"whole{i}");
        var (last, _) = await AppendAsync("whole-last");
        await LogBench.PublishedAsync(fixture.App, last);

        var note = await fixture.Client.GetByteArrayAsync("/log/main/checkpoint", None);
        var entries = new List<byte[]>();
        var report = await LogFsck.RunAsync(
            new BlobTiles(Log.Blobs), Log.Key, note, (_, entry) => entries.Add(entry.ToArray()), None);
        Assert.Empty(report.Problems);

        var export = await fixture.Client.GetStringAsync($"/v1/events?from=0&limit={report.Size}", None);
        var lines = export.TrimEnd('\n').Split('\n');
        Assert.Equal(entries.Select(Encoding.UTF8.GetString), lines);

        // No event is missing, none stands twice, each names who caused it, and each stream's versions are dense.
        var leaves = entries.ConvertAll(entry => Leaf.Decode(entry).Leaf);
        Assert.Contains(leaves, leaf => leaf.Stream == "ledger/main");
        Assert.All(leaves, leaf => Assert.False(string.IsNullOrEmpty(leaf.Actor), $"{leaf.Stream} {leaf.Version}"));
        Assert.Equal(leaves.Count, leaves.Select(leaf => leaf.Id).Distinct().Count());
        foreach (var stream in leaves.GroupBy(leaf => leaf.Stream, StringComparer.Ordinal))
            Assert.Equal(Enumerable.Range(1, stream.Count()).Select(i => (long)i), stream.Select(leaf => leaf.Version));
        await using var count = fixture.App.Get<ShardSessions>().DataSource(ShardRole.Global).CreateCommand(
            "select count(*) from mt_events e where not exists (select 1 from log_leaves l where l.event_id = e.id) and e.seq_id <= (select last_seq_id from log_head)");
        Assert.Equal(0L, await count.ExecuteScalarAsync(None));
    }

    [Fact]
    public async Task Events_of_archived_streams_are_in_the_log()
    {
        var sessions = fixture.App.Get<ShardSessions>();
        var stream = $"node/archived-{Guid.NewGuid():N}";
        await using var session = sessions.Open(ShardRole.Region, Actor.System("test"));
        session.Events.StartStream<NodeState>(stream, Sample("archived"));
        session.Events.ArchiveStream(stream);
        await session.SaveChangesAsync(None);
        await LogBench.PublishedAsync(fixture.App, await IdOfAsync(stream));
    }

    [Fact]
    public async Task A_burnt_sequence_number_leaves_no_gap_in_the_indexes()
    {
        await using (var burn = fixture.App.Get<ShardSessions>().DataSource(ShardRole.Region).CreateCommand("select nextval('mt_events_sequence')"))
            await burn.ExecuteScalarAsync(None);
        var (id, _) = await AppendAsync("after-a-hole");
        await LogBench.PublishedAsync(fixture.App, id);
        await using var dense = fixture.App.Get<ShardSessions>().DataSource(ShardRole.Region).CreateCommand(
            "select count(*) = max(leaf_index) + 1 from log_leaves");
        Assert.Equal(true, await dense.ExecuteScalarAsync(None));
    }

    [Fact]
    public async Task Checkpoints_revalidate_and_full_tiles_are_immutable()
    {
        var (id, _) = await AppendAsync("cached");
        await LogBench.PublishedAsync(fixture.App, id);
        using var checkpoint = await fixture.Client.GetAsync("/log/main/checkpoint", None);
        Assert.Equal("text/plain; charset=utf-8", checkpoint.Content.Headers.ContentType!.ToString());
        Assert.True(checkpoint.Headers.CacheControl!.NoCache);

        var size = Checkpoint.Parse(SignedNote.Parse(await checkpoint.Content.ReadAsByteArrayAsync(None)).Text).Size;
        var tile = size % 256 == 0 ? "tile/0/000" : size < 256 ? $"tile/0/000.p/{size}" : "tile/0/000";
        using var got = await fixture.Client.GetAsync($"/log/main/{tile}", None);
        Assert.Equal("application/octet-stream", got.Content.Headers.ContentType!.ToString());
        Assert.Contains("immutable", got.Headers.CacheControl!.ToString(), StringComparison.Ordinal);

        using var head = await fixture.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/log/main/{tile}"), None);
        Assert.Equal(got.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(None));

        using var again = new HttpRequestMessage(HttpMethod.Get, $"/log/main/{tile}");
        again.Headers.IfNoneMatch.Add(new EntityTagHeaderValue(got.Headers.ETag!.Tag));
        using var unchanged = await fixture.Client.SendAsync(again, None);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Theory]
    [InlineData("/log/other/checkpoint")]
    [InlineData("/log/main/tile/0/0")]
    [InlineData("/log/main/tile/0/999")]
    [InlineData("/log/main/tile/entries/x000/001")]
    [InlineData("/log/main/tile/entries/..%2F..%2Fcheckpoint")]
    [InlineData("/log/main/data/..%2F..%2Fkeys")]
    [InlineData("/log/main/proof/00000000-0000-0000-0000-000000000000")]
    [InlineData("/v1/events?shard=other")]
    public async Task What_is_not_there_is_a_coded_404(string path)
    {
        using var response = await fixture.Client.GetAsync(path, None);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(None)).RootElement;
        Assert.EndsWith("_not_found", problem.GetProperty("code").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_of_a_senseless_range_is_refused()
    {
        using var response = await fixture.Client.GetAsync("/v1/events?from=-1", None);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    private async Task<(Guid EventId, Actor Actor)> AppendAsync(string name)
    {
        var actor = Actor.System("test");
        var stream = $"node/{name}-{Guid.NewGuid():N}";
        await using var session = fixture.App.Get<ShardSessions>().Open(ShardRole.Region, actor, "cause-1");
        session.Events.StartStream<NodeState>(stream, Sample(name));
        await session.SaveChangesAsync(None);
        return (await IdOfAsync(stream), actor);
    }

    private static NodeRegistered Sample(string name) => new(
        name, "participant_test", Region: null, NodeAllowance.Default, TimeProvider.System.Now());

    private async Task<Guid> IdOfAsync(string stream)
    {
        await using var command = fixture.App.Get<ShardSessions>().DataSource(ShardRole.Region).CreateCommand(
            "select id from mt_events where stream_id = $1 and version = 1");
        command.Parameters.AddWithValue(stream);
        return (Guid)(await command.ExecuteScalarAsync(None))!;
    }
}
