using System.Globalization;
using System.Net;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Domain.Merkle;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;

namespace Lumora.Integration.Tests.Log;

/// <summary>A host whose checkpoints need the cosignature of one real witness over real HTTP.</summary>
public sealed class WitnessedLogSpecs(TestDatabases databases) : IAsyncLifetime
{
    private readonly string _home = Path.Combine(Path.GetTempPath(), $"lumora-witnessed-{Guid.NewGuid():N}");
    private RunningWitness _witness = null!;
    private string _connection = "";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _connection = await databases.CreateAsync();
        _witness = new RunningWitness(_home);
        await _witness.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _witness.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    [Fact]
    public async Task What_is_served_is_valid_under_the_policy_and_what_is_anchored_is_the_logs_own_note()
    {
        await using var app = await StartAsync();
        var (id, _) = await LogBench.AppendAsync(app, "witnessed");
        await LogBench.PublishedAsync(app, id);
        using var client = app.CreateClient();
        var served = Verify(await client.GetByteArrayAsync("/log/main/checkpoint", Ct));
        Assert.True(served.IsQuorumMet);
        Assert.InRange(DateTimeOffset.UtcNow - served.Cosignatures[0].At, TimeSpan.FromSeconds(-2), TimeSpan.FromMinutes(1));

        var proof = await client.GetByteArrayAsync($"/log/main/proof/{id}", Ct);
        var entry = await client.GetByteArrayAsync($"/log/main/entry/{id}", Ct);
        LogProofVerifier.Verify(proof, entry, _witness.LogKey);
        Assert.True(Verify(TlogProof.Parse(proof).Checkpoint).IsQuorumMet);
        var anchored = app.Get<ShardLogs>().Latest(ShardMap.DefaultShard)!.Note;
        Assert.Equal(_witness.LogKey.Id, Assert.Single(SignedNote.Parse(anchored).Signatures).KeyId);

        // A monitor asks the witness itself.
        var seen = Verify(await client.GetByteArrayAsync($"{_witness.Url}/{Witness.HashOf(_witness.LogKey.Name)}/checkpoint", Ct));
        Assert.True(seen.IsQuorumMet);
        Assert.Contains("unwitnessed_age_seconds", await client.GetStringAsync("/metrics", Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_witness_is_away_nothing_new_is_published_and_afterwards_all_of_it()
    {
        await using var app = await StartAsync();
        var (first, _) = await LogBench.AppendAsync(app, "before");
        await LogBench.PublishedAsync(app, first);
        await _witness.StopAsync();
        var size = await SizeAsync(app);

        var (second, _) = await LogBench.AppendAsync(app, "meanwhile");
        using var client = app.CreateClient();
        await Patience.UntilAsync(async () =>
            (await client.GetStringAsync("/readyz", Ct)).Contains("log_unwitnessed", StringComparison.Ordinal));
        var (third, _) = await LogBench.AppendAsync(app, "later");
        Assert.True(Age(await client.GetStringAsync("/metrics", Ct)) > 0);
        Assert.Equal(size, await SizeAsync(app));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/log/main/proof/{first}", Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/log/main/proof/{second}", Ct)).StatusCode);

        await _witness.StartAsync();
        await LogBench.PublishedAsync(app, second);
        await LogBench.PublishedAsync(app, third);
        Assert.True(Verify(await client.GetByteArrayAsync("/log/main/checkpoint", Ct)).IsQuorumMet);
        Assert.DoesNotContain("log_unwitnessed", await client.GetStringAsync("/readyz", Ct), StringComparison.Ordinal);
        Assert.Equal(0, Age(await client.GetStringAsync("/metrics", Ct)));
    }

    [Fact]
    public async Task A_host_that_starts_again_finishes_publishing_what_it_had_signed()
    {
        Guid pending;
        long published;
        await using (var app = await StartAsync())
        {
            var (first, _) = await LogBench.AppendAsync(app, "before");
            await LogBench.PublishedAsync(app, first);
            await _witness.StopAsync();
            published = await SizeAsync(app);
            (pending, _) = await LogBench.AppendAsync(app, "signed");
            await Patience.UntilAsync(() => app.Get<WitnessStatus>().Waiting.Count > 0);
        }

        var signed = File.ReadAllBytes(Path.Combine(_home, "lock", "main.checkpoint"));
        Assert.True(NoteVerifier.VerifyCheckpoint(signed, _witness.LogKey).Checkpoint.Size > published);
        await _witness.StartAsync();
        await using var again = await StartAsync();
        await LogBench.PublishedAsync(again, pending);
        var log = again.Get<ShardLogs>().Find(ShardMap.DefaultShard)!;
        var report = await LogFsck.RunAsync(new BlobTiles(log.Blobs), log.Key, log.Served.Read()!.Value.Note, onEntry: null, Ct);
        Assert.Empty(report.Problems);
    }

    [Fact]
    public async Task The_witness_refuses_a_rollback_and_a_fork_that_the_logs_own_key_has_signed()
    {
        await using var app = await StartAsync();
        var (id, _) = await LogBench.AppendAsync(app, "honest");
        await LogBench.PublishedAsync(app, id);
        await app.DisposeAsync();
        using var signer = LogKeys.Open(new LumoraHome(_home), new LogOptions { Origin = "witnessed.example" }, "main");
        using var http = new HttpClient();
        var size = Verify(await http.GetByteArrayAsync($"{_witness.Url}/{Witness.HashOf(signer.Origin)}/checkpoint", Ct)).Checkpoint.Size;

        using var rollback = await PostAsync(http, signer, old: 0, size - 1);
        Assert.Equal(HttpStatusCode.Conflict, rollback.StatusCode);
        Assert.Equal("text/x.tlog.size", rollback.Content.Headers.ContentType!.ToString());
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{size}\n"), await rollback.Content.ReadAsStringAsync(Ct));
        using var fork = await PostAsync(http, signer, old: size, size);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, fork.StatusCode);
        using var longer = await PostAsync(http, signer, old: size, size + 5);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, longer.StatusCode);
        using var unread = await http.PostAsync($"{_witness.Url}/add-checkpoint", new ByteArrayContent(new byte[AddCheckpointRequest.BytesMax + 1]), Ct);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, unread.StatusCode);
        using var unnamed = await http.GetAsync($"{_witness.Url}/checkpoint", Ct);
        Assert.Equal(HttpStatusCode.NotFound, unnamed.StatusCode);
        using var read = await http.GetAsync($"{_witness.Url}/add-checkpoint", Ct);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, read.StatusCode);
    }

    private async Task<LumoraApp> StartAsync()
    {
        var app = new LumoraApp(_connection, _home, _witness.Settings);
        await app.StartAsync();
        return app;
    }

    private WitnessedCheckpoint Verify(ReadOnlyMemory<byte> note) =>
        PolicyVerifier.Verify(note.Span, WitnessPolicy.Parse(File.ReadAllBytes(_witness.PolicyFile)));

    private static async Task<long> SizeAsync(LumoraApp app)
    {
        using var client = app.CreateClient();
        var note = SignedNote.Parse(await client.GetByteArrayAsync("/log/main/checkpoint", Ct));
        return Checkpoint.Parse(note.Text).Size;
    }

    private async Task<HttpResponseMessage> PostAsync(HttpClient http, LogSigner signer, long old, long size)
    {
        var text = new Checkpoint(signer.Origin, size, MerkleHash.OfLeaf("another history"u8)).ToText();
        var request = new AddCheckpointRequest(old, [], signer.Sign(text).ToBytes());
        return await http.PostAsync($"{_witness.Url}/add-checkpoint", new ByteArrayContent(request.ToBytes()), Ct);
    }

    private static double Age(string metrics)
    {
        var line = metrics.Split('\n').Last(line => line.StartsWith("unwitnessed_age_seconds", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
