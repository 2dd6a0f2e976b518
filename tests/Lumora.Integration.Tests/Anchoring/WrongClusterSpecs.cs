using System.Text.Json.Nodes;
using Lumora.Chain.Log;
using Lumora.Chain.Solana;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Solana;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Marten;

namespace Lumora.Integration.Tests.Anchoring;

public sealed class WrongClusterSpecs(TestDatabases databases)
{
    private const string OtherGenesis = "4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn";

    [Fact]
    public async Task With_one_server_of_another_cluster_a_host_connects_to_none_and_signs_nothing()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var solana = new LocalSolana();
        await solana.StartAsync();
        await using var good = await FaultyServer.StartAsync(solana.Rpc.NodeAddress);
        await using var other = await FaultyServer.StartAsync(solana.Rpc.NodeAddress);
        other.Lie = (method, result) => method == "getGenesisHash" ? (JsonNode)OtherGenesis : result;
        await using var app = new LumoraApp(await databases.CreateAsync(), settings: new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Solana:Endpoints"] = $"{good.Address},{other.Address}",
            ["Anchoring:IntervalMs"] = "100",
            ["Anchoring:PollMs"] = "20",
        });
        await app.StartAsync();
        var connection = app.Get<SolanaConnection>();
        await Patience.UntilAsync(() => connection.Status.Contains("genesis", StringComparison.Ordinal));
        var size = await new AnchorWatch(app, () => solana.Rpc).AppendAsync("waits");
        await app.Get<ShardLogs>().WaitForLargerAsync("main", size - 1, ct);

        Assert.Null(connection.Current);
        using var client = app.CreateClient();
        Assert.Contains("solana_unavailable", await client.GetStringAsync("/readyz", ct), StringComparison.Ordinal);
        await using var query = app.Get<ShardSessions>().Query(ShardRole.Global);
        Assert.Empty(await query.Query<AnchorView>().ToListAsync(ct));
        Assert.DoesNotContain("sendTransaction", good.Asked.Concat(other.Asked));
    }
}
