using System.Text;
using Lumora.Chain.Anchoring;
using Lumora.Chain.Log;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Domain.Anchoring;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Solana;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Anchoring;

public sealed class AnchoringSpecs(AnchoringSpecs.Fixture fixture) : IClassFixture<AnchoringSpecs.Fixture>
{
    private readonly AnchorWatch _watch = new(fixture.App, () => fixture.App.Get<SolanaConnection>().Current!.Servers[0]);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_is_anchored_in_a_finalized_memo_and_the_anchor_itself_calls_for_none()
    {
        var size = await _watch.AppendAsync("first");
        var anchor = await _watch.FinalizedAsync(size);

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

    [Fact]
    public async Task A_lost_transaction_expires_and_the_same_memo_is_signed_again()
    {
        await fixture.App.Get<SolanaConnection>().WaitAsync(TestContext.Current.CancellationToken);
        await _watch.FaultAsync(new { kind = "drop", method = "sendTransaction", count = 100_000 });
        var size = await _watch.AppendAsync("second");
        var lost = await _watch.UntilAsync(anchor => anchor.Size >= size && anchor.Stage == AnchorStage.Submitted);
        await _watch.FaultAsync(new { kind = "expire" });
        await _watch.UntilAsync(anchor => anchor.Size == lost.Size && anchor.Attempts >= 2);
        await _watch.FaultAsync(new { kind = "clear" });

        var landed = await _watch.FinalizedAsync(lost.Size);
        Assert.Equal(lost.Memo, landed.Memo);
        Assert.NotEqual(lost.Signature, landed.Signature);
        await using var query = fixture.App.Get<ShardSessions>().Query(ShardRole.Global);
        var events = await query.Events.FetchStreamAsync(landed.Id, token: Ct);
        Assert.Contains(events, e => e.Data is AnchorExpired expired && expired.Signature == lost.Signature);
    }

    /// <summary>A host with its own local Solana.</summary>
    public sealed class Fixture(TestDatabases databases) : AppFixture(databases)
    {
        protected override IReadOnlyDictionary<string, string> Settings { get; } =
            LocalSolana.Settings.Append(new("Anchoring:IntervalMs", "200")).Append(new("Anchoring:PollMs", "25"))
                .ToDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal);
    }
}
