using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lumora.Chain.Anchoring;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Domain.Anchoring;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Log;
using Lumora.Integration.Tests.Solana;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Anchoring;

/// <summary>A host with a region shard of its own database beside the global one.</summary>
public sealed class RegionShardSpecs(RegionShardSpecs.Fixture fixture) : IClassFixture<RegionShardSpecs.Fixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_of_a_region_is_proven_through_the_global_log_up_to_Solana()
    {
        var (id, file) = await AnchoredProofAsync("proven");
        var shown = AnchoredProof.Verify(file, Trust());
        Assert.Equal((id, "eu"), (shown.Region.Leaf.Leaf.Id, shown.Region.Leaf.Leaf.Shard));
        Assert.Equal(("checkpoint/eu", "main"), (shown.Global.Leaf.Leaf.Stream, shown.Global.Leaf.Leaf.Shard));
        Assert.NotNull(shown.Proof.Anchor);

        // The chain itself holds that transaction, with that checkpoint of the global log.
        var server = fixture.App.Get<SolanaConnection>().Current!.Servers[0];
        var memo = await MemoCheckpoints.ReadAsync(
            server, shown.Proof.Anchor.Signature, [fixture.Log("main").Key], TestContext.Current.CancellationToken);
        Assert.Equal(shown.Global.Checkpoint.Checkpoint, memo!.Checkpoint);
        Assert.Equal(shown.Proof.Anchor.Slot, (long)memo.Slot);
    }

    [Fact]
    public async Task A_proof_with_any_part_changed_is_refused_with_its_reason()
    {
        var (_, file) = await AnchoredProofAsync("mutated");
        var proof = ComposedProof.Parse(file);
        var anchor = proof.Anchor!;
        (string Reason, ComposedProof Proof)[] changed =
        [
            ("region: The inclusion path", proof with { Region = proof.Region with { Leaf = proof.Region.Leaf.Replace("mutated", "mutatex", StringComparison.Ordinal) } }),
            ("region: ", proof with { Region = proof.Region with { Proof = proof.Region.Proof.Replace("index ", "index 1", StringComparison.Ordinal) } }),
            ("region: No known key has signed", proof with { Region = proof.Region with { Proof = Unsigned(proof.Region.Proof) } }),
            ("region: The signature of", proof with { Region = proof.Region with { Proof = Resized(proof.Region.Proof) } }),
            ("global: The inclusion path", proof with { Global = proof.Global with { Leaf = proof.Global.Leaf.Replace("\"type\":\"checkpoint_recorded\"", "\"type\":\"checkpoint_recorder\"", StringComparison.Ordinal) } }),
            ("global: The signature of", proof with { Global = proof.Global with { Proof = Resized(proof.Global.Proof) } }),
            ("global: both halves are of one log", proof with { Global = proof.Region }),
            ("anchor: its transaction is no canonical base64", proof with { Anchor = anchor with { Transaction = "?" } }),
            ("anchor: a signature of its transaction is bad", proof with { Anchor = anchor with { Transaction = Flipped(anchor.Transaction) } }),
            ("anchor: its transaction is ", proof with { Anchor = anchor with { Signature = "1" + anchor.Signature[1..] } }),
            ("anchor: it is on the cluster", proof with { Anchor = anchor with { GenesisHash = anchor.Blockhash } }),
            ("policy: ", proof with { Policy = "quorum none\n" }),
            ("policy: it is not in the spelling", proof with { Policy = proof.Policy + "\n" }),
        ];
        foreach (var (reason, mutated) in changed)
        {
            var fault = Record.Exception(() => AnchoredProof.Verify(mutated.ToBytes(), Trust()));
            Assert.True(fault is VerificationException or FormatException, $"{reason}: {fault}");
            Assert.StartsWith(reason, fault.Message, StringComparison.Ordinal);
        }

        var payer = Assert.Throws<VerificationException>(() => AnchoredProof.Verify(file, Trust() with { Payers = [anchor.Blockhash] }));
        Assert.StartsWith("anchor: its transaction is paid for by", payer.Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => AnchoredProof.Verify([.. file, (byte)'\n'], Trust()));
    }

    [Fact]
    public async Task Another_proofs_halves_do_not_fit()
    {
        var (_, first) = await AnchoredProofAsync("first");
        var (_, second) = await AnchoredProofAsync("second");
        var (a, b) = (ComposedProof.Parse(first), ComposedProof.Parse(second));
        var halves = Assert.Throws<VerificationException>(() => AnchoredProof.Verify((a with { Region = b.Region }).ToBytes(), Trust()));
        Assert.StartsWith("global: the event records another checkpoint", halves.Message, StringComparison.Ordinal);
        var anchors = Assert.Throws<VerificationException>(() => AnchoredProof.Verify((a with { Anchor = b.Anchor }).ToBytes(), Trust()));
        Assert.StartsWith("anchor: its memo is a checkpoint of", anchors.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recorded_checkpoints_grow_concern_regions_only_and_call_for_no_anchor()
    {
        await RecordedAsync("one");
        await RecordedAsync("two");
        await using var query = fixture.App.Get<ShardSessions>().Query(ShardRole.Global);
        var recorded = (await query.Events.FetchStreamAsync("checkpoint/eu", token: Ct)).Select(e => (CheckpointRecorded)e.Data).ToList();
        Assert.True(recorded.Count >= 2);
        Assert.Equal(recorded.Select(e => e.Size).Distinct().Order(), recorded.Select(e => e.Size));
        Assert.Empty(await query.Events.FetchStreamAsync("checkpoint/main", token: Ct));
        await using var elsewhere = fixture.App.Get<ShardSessions>().DataSource(ShardRole.Region)
            .CreateCommand("select count(*) from mt_events where type = 'checkpoint_recorded'");
        Assert.Equal(0L, await elsewhere.ExecuteScalarAsync(Ct));

        var leaves = fixture.App.Get<IPublishedCheckpoints>();
        var size = leaves.Size("main");
        await using var events = fixture.App.Get<ShardSessions>().DataSource(ShardRole.Global)
            .CreateCommand("select count(*) from log_leaves where leaf_index < $1 and type not like 'checkpoint%' and type not like 'anchor%'");
        events.Parameters.AddWithValue(size);
        Assert.Equal(await events.ExecuteScalarAsync(Ct), (await leaves.WaitingAsync("main", 0, size, Ct)).Count);
    }

    /// <summary>The start check of a region: a key that was replaced since still counts, another key does not.</summary>
    [Fact]
    public async Task What_an_earlier_key_of_a_region_has_signed_is_found_in_the_global_log()
    {
        var size = await RecordedAsync("earlier");
        var anchored = fixture.App.Get<IAnchoredCheckpoints>();
        using var next = new NoteSigner(fixture.Log("eu").Key.Name, SignatureKind.Ed25519, new byte[32]);
        var found = await anchored.AskAsync("eu", [next.Verifier, fixture.Log("eu").Key], TestContext.Current.CancellationToken);
        Assert.True(found!.Newest!.Size >= size);
        Assert.Null(await anchored.AskAsync("eu", [next.Verifier], TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("main", "log_is_global")]
    [InlineData("us", "log_not_found")]
    [InlineData("eu", "event_not_found")]
    public async Task What_has_no_composed_proof_is_not_found_with_a_code(string shard, string code)
    {
        using var answer = await fixture.Client.GetAsync($"/log/{shard}/composed-proof/{Guid.NewGuid()}", Ct);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains(code, await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restarted_host_goes_on_recording_and_records_nothing_twice()
    {
        await RecordedAsync("before");
        await fixture.RestartAsync();
        var size = await RecordedAsync("after");
        await using var query = fixture.App.Get<ShardSessions>().Query(ShardRole.Global);
        var sizes = (await query.Events.FetchStreamAsync("checkpoint/eu", token: Ct)).Select(e => ((CheckpointRecorded)e.Data).Size).ToList();
        Assert.Equal(sizes.Distinct().Order(), sizes);
        Assert.True(sizes[^1] >= size);
    }

    /// <summary>What an auditor has pinned.</summary>
    private ComposedTrust Trust() => new(
        WitnessPolicy.Parse(Encoding.UTF8.GetBytes($"log {fixture.Log("main").Key}\nlog {fixture.Log("eu").Key}\nquorum none\n")),
        [KeypairFile.Load(Path.Combine(fixture.App.Home, "keys", "solana-anchor.json")).PublicKey.Key],
        fixture.App.Get<SolanaConnection>().Current!.GenesisHash);

    /// <summary>Appends to the region and waits until the global shard has recorded a checkpoint with it.</summary>
    private async Task<long> RecordedAsync(string name)
    {
        var before = fixture.App.Get<ShardLogs>().Latest("eu")?.Checkpoint.Size ?? 0;
        await LogBench.AppendAsync(fixture.App, name);
        var newest = await Patience.ForAsync(async () =>
        {
            await using var query = fixture.App.Get<ShardSessions>().Query(ShardRole.Global);
            return await query.LoadAsync<RegionCheckpoint>("checkpoint/eu", Ct) is { } recorded && recorded.Size > before ? recorded : null;
        });
        return newest.Size;
    }

    private Task<(Guid Id, byte[] File)> AnchoredProofAsync(string name) => AnchoredProofAsync(fixture.App, name);

    /// <summary>Appends to the region of a host and waits for the proof of it that reaches up to an anchor.</summary>
    internal static async Task<(Guid Id, byte[] File)> AnchoredProofAsync(LumoraApp app, string name)
    {
        var watch = new AnchorWatch(app, () => app.Get<SolanaConnection>().Current!.Servers[0]);
        using var client = app.CreateClient();
        var (id, _) = await LogBench.AppendAsync(app, name);
        var file = await Patience.ForAsync(async () =>
        {
            // Recorded checkpoints alone call for no anchor: something must happen in the global shard as well.
            await watch.FinalizedAsync(await watch.AppendAsync("global"));
            using var answer = await client.GetAsync($"/log/eu/composed-proof/{id}", Ct);
            if (answer.StatusCode == HttpStatusCode.NotFound)
                return null;
            answer.EnsureSuccessStatusCode();
            var bytes = await answer.Content.ReadAsByteArrayAsync(Ct);
            return JsonNode.Parse(bytes)!["anchor"] is null ? null : bytes;
        });
        return (id, file);
    }

    private static string Unsigned(string proof) => proof.Replace("\n\u2014 ", "\n\u2014 x", StringComparison.Ordinal);

    /// <summary>The checkpoint with another size, so that its signature is bad.</summary>
    private static string Resized(string proof)
    {
        var lines = proof.Split('\n');
        var size = Array.IndexOf(lines, "") + 2;
        lines[size] = $"1{lines[size]}";
        return string.Join('\n', lines);
    }

    /// <summary>The last byte of the memo changed.</summary>
    private static string Flipped(string transaction)
    {
        var bytes = Convert.FromBase64String(transaction);
        bytes[^10] ^= 1;
        return Convert.ToBase64String(bytes);
    }

    /// <summary>Two databases, one host, a local Solana.</summary>
    public sealed class Fixture(TestDatabases databases) : IAsyncLifetime
    {
        private readonly string _home = Path.Combine(Path.GetTempPath(), $"lumora-region-{Guid.NewGuid():N}");
        private string _global = "";
        private string _region = "";

        public LumoraApp App { get; private set; } = null!;

        public HttpClient Client { get; private set; } = null!;

        public ShardLog Log(string shard) => App.Get<ShardLogs>().Find(shard)!;

        public async ValueTask InitializeAsync()
        {
            (_global, _region) = (await databases.CreateAsync(), await databases.CreateEmptyAsync());
            await StartAsync();
        }

        public async Task RestartAsync()
        {
            Client.Dispose();
            await App.DisposeAsync();
            await StartAsync();
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await App.DisposeAsync();
            Directory.Delete(_home, recursive: true);
        }

        private async Task StartAsync()
        {
            App = new LumoraApp(_global, _home, new Dictionary<string, string>(LocalSolana.Settings!, StringComparer.Ordinal)
            {
                ["Lumora:Regions:eu"] = _region,
                ["Anchoring:IntervalMs"] = "200",
                ["Anchoring:PollMs"] = "25",
            });
            await App.StartAsync();
            Client = App.CreateClient();
        }
    }
}
