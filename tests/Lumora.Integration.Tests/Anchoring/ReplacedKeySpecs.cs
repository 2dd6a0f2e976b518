using Lumora.Chain.Anchoring;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Log;
using Lumora.Integration.Tests.Solana;

namespace Lumora.Integration.Tests.Anchoring;

/// <summary>Keys of logs are replaced, and no anchor is made in the overlap: what the old keys have anchored must still count.</summary>
public sealed class ReplacedKeySpecs(TestDatabases databases) : IAsyncLifetime
{
    private readonly string _home = Path.Combine(Path.GetTempPath(), $"lumora-replaced-{Guid.NewGuid():N}");
    private readonly Dictionary<string, string> _settings = new(LocalSolana.Settings!, StringComparer.Ordinal)
    {
        ["Anchoring:IntervalMs"] = "200",
        ["Anchoring:PollMs"] = "25",
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_home, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_composed_proof_is_made_under_an_anchor_of_the_old_key_and_the_start_check_finds_it()
    {
        var global = await databases.CreateAsync();
        _settings["Lumora:Regions:eu"] = await databases.CreateEmptyAsync();
        Guid id;
        string old;
        await using (var app = await StartAsync(global))
        {
            (id, _) = await RegionShardSpecs.AnchoredProofAsync(app, "before");
            old = app.Get<ShardLogs>().Find("main")!.Key.ToString();
            await AnchorWatch.AtRestAsync(app);
        }

        // An overlap in which nothing is anchored, as when the chain is away.
        (_settings["Anchoring:IntervalMs"], _settings["Log:KeyOverlap"]) = ("3600000", "true");
        await using (var app = await StartAsync(global))
            foreach (var shard in (string[])["main", "eu"])
                await SignedAnewAsync(app, shard, keys: 2);
        _settings["Log:KeyOverlap"] = "false";
        foreach (var shard in (string[])["main", "eu"])
            File.Move(Path.Combine(_home, "keys", $"log-{shard}.next.key"), Path.Combine(_home, "keys", $"log-{shard}.key"), overwrite: true);
        await using (var app = await StartAsync(global))
        {
            await SignedAnewAsync(app, "main", keys: 1);
            var log = app.Get<ShardLogs>().Find("main")!;
            Assert.NotEqual(old, log.Key.ToString());
            await app.Get<SolanaConnection>().WaitAsync(TestContext.Current.CancellationToken);
            var anchored = app.Get<IAnchoredCheckpoints>();
            var found = await Patience.ForAsync(() => anchored.AskAsync("main", log.KnownKeys, Ct));
            Assert.NotNull(found.Newest);

            using var client = app.CreateClient();
            var file = await client.GetByteArrayAsync($"/log/eu/composed-proof/{id}", Ct);
            var proof = ComposedProof.Parse(file);
            Assert.NotNull(proof.Anchor);
            Assert.Contains($"log {old}\n", proof.Policy, StringComparison.Ordinal);
            var policy = WitnessPolicy.Parse(System.Text.Encoding.UTF8.GetBytes(proof.Policy));
            Assert.Equal(id, AnchoredProof.Verify(file, new ComposedTrust(policy, [], null)).Region.Leaf.Leaf.Id);
        }
    }

    /// <summary>All but the keys comes from an old backup, and the log's key was replaced since its newest anchor.</summary>
    [Fact]
    public async Task An_anchor_of_the_old_key_shows_that_an_old_backup_was_restored()
    {
        long anchored;
        await using (var app = await StartAsync(await databases.CreateAsync()))
        {
            for (var i = 0; i < 10; i++)
                await LogBench.AppendAsync(app, $"lost{i}");
            anchored = await AnchorWatch.AtRestAsync(app);
        }

        Directory.Delete(Path.Combine(_home, "log"), recursive: true);
        Directory.Delete(Path.Combine(_home, "lock"), recursive: true);
        File.Delete(Path.Combine(_home, "keys", "log-main.key"));
        await using var restored = await StartAsync(await databases.CreateAsync());
        await LogBench.AppendAsync(restored, "fork");
        var reason = await AnchorWatch.RefusedAsync(restored);
        Assert.Contains($"anchored a checkpoint of {anchored} leaves", reason, StringComparison.Ordinal);
    }

    private async Task<LumoraApp> StartAsync(string connection)
    {
        var app = new LumoraApp(connection, _home, _settings);
        await app.StartAsync();
        return app;
    }

    /// <summary>Appends and waits for a checkpoint with so many signatures.</summary>
    private static async Task SignedAnewAsync(LumoraApp app, string shard, int keys)
    {
        if (shard == "main")
            await new AnchorWatch(app, () => null!).AppendAsync("anew");
        else
            await LogBench.AppendAsync(app, "anew");
        await Patience.UntilAsync(() => app.Get<ShardLogs>().Latest(shard) is { } latest && SignedNote.Parse(latest.Note).Signatures.Count == keys);
    }
}
