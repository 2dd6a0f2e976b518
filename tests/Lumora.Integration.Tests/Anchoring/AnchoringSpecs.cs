using System.Net.Http.Json;
using System.Text;
using Lumora.Chain.Anchoring;
using Lumora.Chain.Log;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Solana;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Marten;

namespace Lumora.Integration.Tests.Anchoring;

public sealed class AnchoringSpecs(AnchoringSpecs.Fixture fixture) : IClassFixture<AnchoringSpecs.Fixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task An_event_is_anchored_in_a_finalized_memo_and_the_anchor_itself_calls_for_none()
    {
        var size = await AppendAsync("first");
        var anchor = await FinalizedAsync(size);

        var cluster = fixture.App.Get<SolanaConnection>().Current!;
        var found = await cluster.Servers[0].GetTransactionAsync(anchor.Signature!, Commitment.Finalized,
            TestContext.Current.CancellationToken);
        Assert.NotNull(found);
        var memo = Assert.Single(Transaction.Deserialize(found.Raw).DataFor(MemoProgram.ProgramId));
        Assert.Equal(anchor.Memo, Encoding.UTF8.GetString(memo));
        Assert.Equal(Convert.ToBase64String(found.Raw), anchor.RawTransaction);
        Assert.Contains($"\n{anchor.Size}\n{anchor.Root}\n", anchor.Memo, StringComparison.Ordinal);

        // The anchor's own events become leaves, and none of them waits for an anchor.
        await fixture.App.Get<ShardLogs>().WaitForLargerAsync(anchor.Shard, anchor.Size, Ct);
        var leaves = fixture.App.Get<IPublishedCheckpoints>();
        Assert.Equal(0, (await leaves.WaitingAsync(anchor.Shard, anchor.Size, leaves.Size(anchor.Shard), Ct)).Count);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_lost_transaction_expires_and_the_same_memo_is_signed_again()
    {
        await fixture.App.Get<SolanaConnection>().WaitAsync(TestContext.Current.CancellationToken);
        await FaultAsync(new { kind = "drop", method = "sendTransaction", count = 100_000 });
        var size = await AppendAsync("second");
        var lost = await UntilAsync(anchor => anchor.Size >= size && anchor.Stage == AnchorStage.Submitted);
        await FaultAsync(new { kind = "expire" });
        await UntilAsync(anchor => anchor.Size == lost.Size && anchor.Attempts >= 2);
        await FaultAsync(new { kind = "clear" });

        var landed = await FinalizedAsync(lost.Size);
        Assert.Equal(lost.Memo, landed.Memo);
        Assert.NotEqual(lost.Signature, landed.Signature);
        await using var query = fixture.App.Get<ShardSessions>().Query(ShardRole.Global);
        var events = await query.Events.FetchStreamAsync(landed.Id, token: Ct);
        Assert.Contains(events, e => e.Data is AnchorExpired expired && expired.Signature == lost.Signature);
    }

    /// <summary>Appends a fact and answers the least size of a tree that holds it.</summary>
    private async Task<long> AppendAsync(string name)
    {
        var before = fixture.App.Get<IPublishedCheckpoints>().Latest("main")?.Checkpoint.Size ?? 0;
        await using var session = fixture.App.Get<ShardSessions>().Open(ShardRole.Region, Actor.System("test"));
        var node = new NodeRegistered(name, "participant_x", null, NodeAllowance.Default, DateTimeOffset.UnixEpoch);
        session.Events.StartStream<NodeState>(NodeState.StreamOf(name), node);
        await session.SaveChangesAsync(Ct);
        return before + 1;
    }

    private Task<AnchorView> FinalizedAsync(long size) =>
        UntilAsync(anchor => anchor.Size >= size && anchor.Stage == AnchorStage.Finalized);

    private async Task<AnchorView> UntilAsync(Func<AnchorView, bool> holds)
    {
        while (true)
        {
            await using var query = fixture.App.Get<ShardSessions>().Query(ShardRole.Global);
            var anchors = await query.Query<AnchorView>().ToListAsync(Ct);
            if (anchors.FirstOrDefault(holds) is { } found)
                return found;
            await Task.Delay(20, Ct);
        }
    }

    private async Task FaultAsync(object order)
    {
        using var http = new HttpClient();
        var server = fixture.App.Get<SolanaConnection>().Current!.Servers[0].NodeAddress;
        using var answer = await http.PostAsJsonAsync(
            server, new { jsonrpc = "2.0", id = 1, method = "devstackFault", @params = new[] { order } }, Ct);
        Assert.True(answer.IsSuccessStatusCode);
    }

    /// <summary>A host with its own local Solana.</summary>
    public sealed class Fixture(TestDatabases databases) : AppFixture(databases)
    {
        protected override IReadOnlyDictionary<string, string> Settings { get; } =
            LocalSolana.Settings.Append(new("Anchoring:IntervalMs", "200")).Append(new("Anchoring:PollMs", "25"))
                .ToDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal);
    }
}
