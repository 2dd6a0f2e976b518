using System.Net.Http.Json;
using Lumora.Chain.Anchoring;
using Lumora.Chain.Log;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Marten;

namespace Lumora.Integration.Tests.Anchoring;

/// <summary>What a test sees of a host's anchors: in its events, and on the chain by a server of the test's choice.</summary>
internal sealed class AnchorWatch(LumoraApp app, Func<IRpcClient> chain)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string Key(LumoraApp app) => Path.Combine(app.Home, "keys", "solana-anchor.json");

    /// <summary>
    /// Waits until all that a host has to anchor is anchored for good, since what is under way may still land while it stops. Answers the
    /// largest size.
    /// </summary>
    public static async Task<long> AtRestAsync(LumoraApp app)
    {
        IReadOnlyList<AnchorView> anchors = [];
        await Patience.UntilAsync(async () =>
        {
            await using var query = app.Get<ShardSessions>().Query(ShardRole.Global);
            anchors = await query.Query<AnchorView>().ToListAsync(Ct);
            return anchors.Any(anchor => anchor.Size > 5) && anchors.All(anchor => anchor.Stage == AnchorStage.Finalized)
                && app.Get<AnchorStatus>().LeavesWaiting == 0;
        });
        return anchors.Max(anchor => anchor.Size);
    }

    /// <summary>Waits until a host refuses to sign the global log; answers why.</summary>
    public static Task<string> RefusedAsync(LumoraApp app) =>
        Patience.ForAsync(() => app.Get<LogPublishing>().Refusals.GetValueOrDefault("main"));

    /// <summary>Appends a fact to the global shard and answers the least size of a tree that holds it.</summary>
    public async Task<long> AppendAsync(string name)
    {
        var before = app.Get<ShardLogs>().Latest("main")?.Checkpoint.Size ?? 0;
        await using var session = app.Get<ShardSessions>().Open(ShardRole.Global, Actor.System("test"));
        session.Events.StartStream<NodeState>(
            NodeState.StreamOf($"{name}-{Guid.NewGuid():N}"),
            new NodeRegistered(name, "participant_x", null, NodeAllowance.Default, DateTimeOffset.UnixEpoch));
        await session.SaveChangesAsync(Ct);
        return before + 1;
    }

    /// <summary>Waits for an anchor that <paramref name="holds"/>.</summary>
    public Task<AnchorView> UntilAsync(Func<AnchorView, bool> holds) => Patience.ForAsync(async () =>
    {
        await using var query = app.Get<ShardSessions>().Query(ShardRole.Global);
        return (await query.Query<AnchorView>().ToListAsync(Ct)).FirstOrDefault(holds);
    });

    /// <summary>Waits until a finalized anchor covers <paramref name="size"/> leaves.</summary>
    public Task<AnchorView> FinalizedAsync(long size) =>
        UntilAsync(anchor => anchor.Size >= size && anchor.Stage == AnchorStage.Finalized);

    /// <summary>The steps of an anchor.</summary>
    public async Task<IReadOnlyList<object>> StepsAsync(AnchorView anchor)
    {
        await using var query = app.Get<ShardSessions>().Query(ShardRole.Global);
        return [.. (await query.Events.FetchStreamAsync(anchor.Id, token: Ct)).Select(step => step.Data)];
    }

    /// <summary>
    /// What must hold after every fault: one transaction at a time, a second one only past the first's last valid height, one
    /// finality; and on the chain one memo for each size, which is the archived one.
    /// </summary>
    public async Task<IReadOnlyList<object>> AssertSoundAsync(AnchorView anchor)
    {
        var steps = await StepsAsync(anchor);
        AnchorSigned? live = null;
        foreach (var step in steps)
        {
            if (step is AnchorSigned signed)
            {
                Assert.Null(live);
                live = signed;
            }
            else if (step is AnchorExpired expired)
            {
                Assert.Equal(live!.Signature, expired.Signature);
                Assert.True(expired.FinalizedBlockHeight > live.LastValidBlockHeight);
                live = null;
            }
        }

        var final = Assert.IsType<AnchorFinalized>(steps[^1]);
        Assert.Single(steps.OfType<AnchorFinalized>());
        Assert.Equal(live!.Signature, final.Signature);
        var log = app.Get<ShardLogs>().Find("main")!.Key;
        var memos = new List<MemoCheckpoint>();
        var payer = KeypairFile.Load(Key(app)).PublicKey;
        await foreach (var memo in MemoCheckpoints.SearchAsync(chain(), payer, [log], until: null, TestContext.Current.CancellationToken))
            memos.Add(memo);
        var own = Assert.Single(memos, memo => memo.Checkpoint.Size == anchor.Size);
        Assert.Equal((final.Signature, final.Slot), (own.Signature, (long)own.Slot));
        Assert.Equal(memos.Count, memos.Select(memo => memo.Checkpoint.Size).Distinct().Count());
        return steps;
    }

    /// <summary>Orders a fault of the local Solana.</summary>
    public async Task FaultAsync(object order)
    {
        using var http = new HttpClient();
        using var answer = await http.PostAsJsonAsync(
            chain().NodeAddress, new { jsonrpc = "2.0", id = 1, method = "devstackFault", @params = new[] { order } }, Ct);
        Assert.True(answer.IsSuccessStatusCode);
    }
}
