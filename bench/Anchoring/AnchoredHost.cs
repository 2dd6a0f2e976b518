using Lumora.Api.Embedded;
using Lumora.Chain.Log;
using Lumora.Chain.Solana;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Marten;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lumora.Bench.Anchoring;

/// <summary>The whole host, as users run it, with its local Solana, in this process.</summary>
internal sealed class AnchoredHost : WebApplicationFactory<DatabaseModule>
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly string _connectionString;
    private readonly string _home = Path.Combine(Path.GetTempPath(), $"lumora-bench-home-{Guid.NewGuid():N}");

    private AnchoredHost(string connectionString) => _connectionString = connectionString;

    private ShardSessions Sessions => Services.GetRequiredService<ShardSessions>();

    /// <summary>Starts it and waits for its chain.</summary>
    public static async Task<AnchoredHost> StartAsync(string connectionString, CancellationToken ct)
    {
        // The settings lie beside the bench; the factory would look for a solution above it.
        Environment.SetEnvironmentVariable("ASPNETCORE_TEST_CONTENTROOT_LUMORA_API", AppContext.BaseDirectory);
        var host = new AnchoredHost(connectionString);
        host.UseKestrel(port: 0);
        host.StartServer();
        await host.Services.GetRequiredService<SolanaConnection>().WaitAsync(ct);
        return host;
    }

    /// <summary>Appends events for <paramref name="window"/>; from each one's commit to the finality of the anchor that covers it.</summary>
    public async Task<IReadOnlyList<TimeSpan>> MeasureAsync(TimeSpan window, CancellationToken ct)
    {
        var commits = new List<(string Stream, DateTimeOffset At)>();
        for (var end = DateTimeOffset.UtcNow + window; DateTimeOffset.UtcNow < end;)
        {
            var stream = $"node/bench-{commits.Count}";
            await using var session = Sessions.Open(ShardRole.Global, Actor.System("bench"));
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

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (Directory.Exists(_home))
            Directory.Delete(_home, recursive: true);
    }

    /// <inheritdoc/>
    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment("Development");
        builder.UseSetting("ConnectionStrings:Lumora", _connectionString);
        builder.UseSetting("Lumora:Home", _home);
        builder.UseSetting("Logging:LogLevel:Default", nameof(LogLevel.Warning));
    }

    private async Task<long> IndexAsync(string stream, CancellationToken ct)
    {
        var leaves = Services.GetRequiredService<ShardLogs>().Find(Sessions.ShardOf(ShardRole.Global))!.Leaves;
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
            await using var query = Sessions.Query(ShardRole.Global);
            var first = await query.Query<AnchorView>().Where(anchor => anchor.Size > index)
                .OrderBy(anchor => anchor.Size).FirstOrDefaultAsync(ct);
            if (first is { Stage: AnchorStage.Finalized, FinalizedAt: { } at })
                return at;
            await Task.Delay(Pause, ct);
        }
    }
}
