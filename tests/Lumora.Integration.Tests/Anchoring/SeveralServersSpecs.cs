using System.Linq.Expressions;
using System.Text.Json.Nodes;
using Lumora.Chain.Anchoring;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Domain.Kernel;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Solana;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Lumora.Integration.Tests.Anchoring;

/// <summary>Three RPC servers of one cluster, the first of which fails in every way that we could think of.</summary>
public sealed class SeveralServersSpecs(SeveralServersSpecs.Fixture fixture)
    : IClassFixture<SeveralServersSpecs.Fixture>, IAsyncLifetime
{
    private readonly AnchorWatch _watch = new(fixture.App, () => fixture.Solana.Rpc);

    private FaultyServer First => fixture.Servers[0];

    public async ValueTask InitializeAsync()
    {
        foreach (var server in fixture.Servers)
            server.Heal();
        // None rests from the test before.
        while (fixture.Servers.Any(server => !server.Asked.Contains("getSignatureStatuses")))
            await _watch.FinalizedAsync(await _watch.AppendAsync("before"));
        First.Asked.Clear();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task One_that_is_dead_delays_nothing()
    {
        First.IsDead = true;
        await AssertAnchoredOnceAsync("dead");
        Assert.NotEmpty(First.Asked);
    }

    [Fact]
    public async Task One_that_lags_by_a_thousand_slots_delays_nothing()
    {
        First.Lie = (method, result) => method switch
        {
            "getBlockHeight" or "getSlot" => Math.Max(0, (long)result - 1_000),
            "getLatestBlockhash" => Changed(result, value =>
            {
                value["blockhash"] = "11111111111111111111111111111111";
                value["lastValidBlockHeight"] = Math.Max(1, (long)value["lastValidBlockHeight"]! - 1_000);
            }),
            "isBlockhashValid" => Valued(result, false),
            "getSignatureStatuses" => Valued(result, new JsonArray(null as JsonNode)),
            "getTransaction" or "getBlock" => null,
            "getBalance" => Valued(result, 0),
            _ => result,
        };
        await AssertAnchoredOnceAsync("lags");
        Assert.NotEmpty(First.Asked);
    }

    [Fact]
    public async Task One_that_takes_transactions_and_calls_them_final_is_not_believed()
    {
        First.Swallowed = ["sendTransaction"];
        First.Lie = (method, result) => method switch
        {
            "sendTransaction" => Transaction.Deserialize(Convert.FromBase64String((string)result[0]!)).Signature,
            "getBlockHeight" or "getSlot" => (long)result + 1_000_000,
            "getSignatureStatuses" => Valued(result, new JsonArray(new JsonObject
            {
                ["slot"] = 1,
                ["confirmations"] = null,
                ["err"] = null,
                ["confirmationStatus"] = "finalized",
            })),
            _ => result,
        };
        await AssertAnchoredOnceAsync("final");
        Assert.NotEmpty(First.Asked);
    }

    [Fact]
    public async Task One_that_calls_transactions_lost_causes_no_second_one()
    {
        First.Lie = (method, result) => method switch
        {
            "getBlockHeight" or "getSlot" => (long)result + 1_000_000,
            "isBlockhashValid" => Valued(result, false),
            "getSignatureStatuses" => Valued(result, new JsonArray(null as JsonNode)),
            "getTransaction" => null,
            _ => result,
        };
        await AssertAnchoredOnceAsync("lost");
        Assert.NotEmpty(First.Asked);
    }

    [Fact]
    public async Task One_that_calls_transactions_failed_causes_no_second_one()
    {
        First.Lie = (method, result) => method == "getSignatureStatuses"
            ? Valued(result, new JsonArray(new JsonObject
            {
                ["slot"] = 1,
                ["confirmations"] = null,
                ["err"] = new JsonObject { ["InstructionError"] = new JsonArray(0, "Custom") },
                ["confirmationStatus"] = "finalized",
            }))
            : result;
        await AssertAnchoredOnceAsync("failed");
        Assert.NotEmpty(First.Asked);
    }

    [Fact]
    public async Task One_that_answers_what_nobody_can_read_delays_nothing()
    {
        First.Lie = (_, _) => new JsonObject { ["value"] = new JsonArray("?") };
        await AssertAnchoredOnceAsync("garbage");
        Assert.NotEmpty(First.Asked);
    }

    /// <summary>What a host asks at its start: a lie may not keep it from anchoring.</summary>
    [Fact]
    public async Task One_that_gives_other_transactions_than_it_is_asked_for_hides_no_anchor()
    {
        await AssertAnchoredOnceAsync("an anchor");
        await AssertAnchoredOnceAsync("another");
        await ForgetAsync(_ => true);
        JsonNode? other = null;
        First.Lie = (method, result) => method == "getTransaction" ? (other ??= result.DeepClone()).DeepClone() : result;
        Assert.NotNull((await AskAtStartAsync()).Newest);
        Assert.NotNull(other);

        fixture.Servers[1].IsDead = true;
        First.IsDead = true;
        var withoutMajority = ActivatorUtilities.CreateInstance<AnchoredCheckpoints>(fixture.App.Services);
        Assert.Null(await withoutMajority.AskAsync("main", [fixture.Log], TestContext.Current.CancellationToken));
    }

    /// <summary>The database comes from a backup that knows the first anchor and not the second.</summary>
    [Fact]
    public async Task An_anchor_that_the_database_does_not_know_is_found_in_front_of_the_one_that_it_knows()
    {
        var first = await _watch.FinalizedAsync(await _watch.AppendAsync("known"));
        var second = await _watch.FinalizedAsync(await _watch.AppendAsync("lost"));
        await ForgetAsync(view => view.Size > first.Size);
        Assert.True((await AskAtStartAsync()).Newest!.Size >= second.Size);
    }

    /// <summary>What a log signs before the chain has answered may be a fork: one that was anchored before waits for it.</summary>
    [Fact]
    public async Task A_log_that_was_anchored_before_waits_at_a_start_for_its_chain_and_one_that_was_not_does_not()
    {
        var anchor = await _watch.FinalizedAsync(await _watch.AppendAsync("an anchor"));
        var connection = new SolanaConnection();
        var asked = Ask(connection);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.False(asked.IsCompleted);
        connection.Connected(fixture.App.Get<SolanaConnection>().Current!);
        Assert.True((await asked)!.Newest!.Size >= anchor.Size);

        await ForgetAsync(_ => true);
        Assert.Null(await Ask(new SolanaConnection()).WaitAsync(TimeSpan.FromSeconds(8), TestContext.Current.CancellationToken));

        Task<AnchoredAnswer?> Ask(SolanaConnection chain) =>
            ActivatorUtilities.CreateInstance<AnchoredCheckpoints>(fixture.App.Services, chain)
                .AskAsync("main", [fixture.Log], TestContext.Current.CancellationToken);
    }

    /// <summary>What the database knows holds also where the chain has nothing newer, and where no known key signed it there is no answer.</summary>
    [Fact]
    public async Task The_newest_anchor_in_the_database_is_the_answer_unless_its_key_was_stolen()
    {
        var anchor = await _watch.FinalizedAsync(await _watch.AppendAsync("the newest"));
        Assert.True((await AskAtStartAsync()).Newest!.Size >= anchor.Size);
        using var thief = new NoteSigner(fixture.Log.Name, SignatureKind.Ed25519, new byte[32]);
        var stranger = ActivatorUtilities.CreateInstance<AnchoredCheckpoints>(fixture.App.Services);
        var answer = await Patience.ForAsync(() => stranger.AskAsync("main", [thief.Verifier], TestContext.Current.CancellationToken));
        Assert.Null(answer.Newest);
    }

    /// <summary>Without the key, or with a new one: the address that paid is in the anchors themselves.</summary>
    [Fact]
    public async Task An_anchor_is_found_where_its_key_is_gone()
    {
        var known = await _watch.FinalizedAsync(await _watch.AppendAsync("known"));
        var lost = await _watch.FinalizedAsync(await _watch.AppendAsync("lost"));
        await ForgetAsync(view => view.Size > known.Size);
        var empty = Directory.CreateTempSubdirectory("lumora-no-keys-");
        try
        {
            var answer = await AskAtStartAsync(new LumoraHome(empty.FullName));
            Assert.True(answer.Newest!.Size >= lost.Size);
            Assert.DoesNotContain("as recorded", answer.Where, StringComparison.Ordinal);
        }
        finally
        {
            empty.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task One_that_comes_back_as_another_cluster_is_given_no_transaction()
    {
        First.IsDead = true;
        await AssertAnchoredOnceAsync("away");
        First.Asked.Clear();
        First.Lie = (method, result) => method == "getGenesisHash" ? (JsonNode)"4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn" : result;
        First.IsDead = false;
        while (!First.Asked.Contains("getGenesisHash"))
            await AssertAnchoredOnceAsync("other");
        await AssertAnchoredOnceAsync("after");
        Assert.DoesNotContain("sendTransaction", First.Asked);
        Assert.DoesNotContain("getLatestBlockhash", First.Asked);
    }

    [Fact]
    public async Task Without_a_majority_anchors_wait_and_nothing_else_does()
    {
        (First.IsDead, fixture.Servers[1].IsDead) = (true, true);
        var size = await _watch.AppendAsync("waits");
        var logs = fixture.App.Get<ShardLogs>();
        await logs.WaitForLargerAsync("main", size - 1, TestContext.Current.CancellationToken);
        var status = fixture.App.Get<AnchorStatus>();
        await Patience.UntilAsync(() => status.UnanchoredAge >= TimeSpan.FromSeconds(1) && status.Fault is not null);
        Assert.Contains("must agree", status.Fault, StringComparison.Ordinal);
        Assert.True(status.LeavesWaiting > 0);
        (First.IsDead, fixture.Servers[1].IsDead) = (false, false);
        await _watch.AssertSoundAsync(await _watch.FinalizedAsync(size));
    }

    private Task<AnchoredAnswer> AskAtStartAsync(params object[] others)
    {
        var atStart = ActivatorUtilities.CreateInstance<AnchoredCheckpoints>(fixture.App.Services, others);
        return Patience.ForAsync(() => atStart.AskAsync("main", [fixture.Log], TestContext.Current.CancellationToken));
    }

    private async Task ForgetAsync(Expression<Func<AnchorView, bool>> which)
    {
        await using var session = fixture.App.Get<ShardSessions>().Open(ShardRole.Global, Actor.System("test"));
        session.DeleteWhere(which);
        await session.SaveChangesAsync(TestContext.Current.CancellationToken);
    }

    private async Task AssertAnchoredOnceAsync(string name)
    {
        var anchor = await _watch.FinalizedAsync(await _watch.AppendAsync(name));
        await _watch.AssertSoundAsync(anchor);
        Assert.Equal(1, anchor.Attempts);
    }

    private static JsonNode Valued(JsonNode result, JsonNode value)
    {
        result["value"] = value;
        return result;
    }

    private static JsonNode Changed(JsonNode result, Action<JsonNode> change)
    {
        change(result["value"]!);
        return result;
    }

    /// <summary>A host whose three servers are one real local Solana behind three fronts.</summary>
    public sealed class Fixture(TestDatabases databases) : IAsyncLifetime
    {
        private readonly string _home = Path.Combine(Path.GetTempPath(), $"lumora-servers-{Guid.NewGuid():N}");
        private readonly List<FaultyServer> _servers = [];
        private LumoraApp? _app;

        public LocalSolana Solana { get; } = new();

        public LumoraApp App => _app!;

        public VerifierKey Log => App.Get<ShardLogs>().Find("main")!.Key;

        internal IReadOnlyList<FaultyServer> Servers => _servers;

        public async ValueTask InitializeAsync()
        {
            await Solana.StartAsync();
            for (var i = 0; i < 3; i++)
                _servers.Add(await FaultyServer.StartAsync(Solana.Rpc.NodeAddress));
            await AnchorWallet.FundAsync(_home, Solana.Rpc, 2_000_000_000);
            _app = new LumoraApp(await databases.CreateAsync(), _home, new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Solana:Endpoints"] = string.Join(',', _servers.Select(server => server.Address.ToString())),
                ["Solana:TimeoutSeconds"] = "1",
                ["Anchoring:IntervalMs"] = "100",
                ["Anchoring:PollMs"] = "20",
            });
            await _app.StartAsync();
        }

        public async ValueTask DisposeAsync()
        {
            if (_app is not null)
                await _app.DisposeAsync();
            foreach (var server in _servers)
                await server.DisposeAsync();
            await Solana.DisposeAsync();
            Directory.Delete(_home, recursive: true);
        }
    }
}
