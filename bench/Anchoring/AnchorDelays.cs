using Lumora.Bench.Server;
using Lumora.Chain.Log;
using Lumora.Chain.Solana;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Marten;
using Microsoft.Extensions.DependencyInjection;

namespace Lumora.Bench.Anchoring;

/// <summary>How long events of a host with a local Solana wait for the finality of their anchor.</summary>
internal sealed class AnchorDelays(BenchHost host)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Waits for the chain, then appends events for <paramref name="window"/>; from each one's commit to the finality of the
    /// anchor that covers it.
    /// </summary>
    public async Task<IReadOnlyList<TimeSpan>> MeasureAsync(TimeSpan window, CancellationToken ct)
    {
        await host.Services.GetRequiredService<SolanaConnection>().WaitAsync(ct);
        var commits = new List<(string Stream, DateTimeOffset At)>();
        for (var end = DateTimeOffset.UtcNow + window; DateTimeOffset.UtcNow < end;)
        {
            var stream = $"node/bench-{commits.Count}";
            await using var session = host.Sessions.Open(ShardRole.Global, Actor.System("bench"));
            session.Events.StartStream<NodeState>(
                stream, new NodeRegistered(stream, "participant_bench", null, NodeAllowance.Default, TimeProvider.System.Now()));
            await session.SaveChangesAsync(ct);
            commits.Add((stream, DateTimeOffset.UtcNow));
            await Task.Delay(Pause, ct);
        }

        var times = new List<TimeSpan>();
        foreach (var (stream, at) in commits)
            times.Add(await FinalizedAsync(await IndexAsync(stream, ct), ct) - at);
        return times;
    }

    private async Task<long> IndexAsync(string stream, CancellationToken ct)
    {
        var leaves = host.Logs.Find(host.Shard)!.Leaves;
        while (true)
        {
            if (await leaves.SearchAsync(new LeafSearch(-1, long.MaxValue, Backward: false, 1, stream), ct) is [var leaf])
                return leaf.Index;
            await Task.Delay(Pause, ct);
        }
    }

    private async Task<DateTimeOffset> FinalizedAsync(long index, CancellationToken ct)
    {
        while (true)
        {
            await using var query = host.Sessions.Query(ShardRole.Global);
            var first = await query.Query<AnchorView>().Where(anchor => anchor.Size > index)
                .OrderBy(anchor => anchor.Size).FirstOrDefaultAsync(ct);
            if (first is { Stage: AnchorStage.Finalized, FinalizedAt: { } at })
                return at;
            await Task.Delay(Pause, ct);
        }
    }
}
