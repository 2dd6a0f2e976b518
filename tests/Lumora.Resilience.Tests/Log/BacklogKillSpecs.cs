using Lumora.Api.Embedded;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Lumora.Resilience.Tests.Infrastructure;
using Marten;
using Npgsql;

namespace Lumora.Resilience.Tests.Log;

/// <summary>
/// A host finds a backlog of many pages and dies by kill −9 after each of the first: between two commits of the sequencer, while the
/// progress of its subscription still stands before all of them. <c>LUMORA_LONG=1</c> kills ten times.
/// </summary>
public sealed class BacklogKillSpecs : IAsyncLifetime
{
    private const int PageEvents = 2_000;
    private const int EventsOfCommit = 500;

    private static readonly int s_kills = LongForm.IsAsked ? 10 : 2;

    private readonly HomeFolder _home = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _home.DisposeAsync();

    [Fact]
    public async Task A_host_killed_between_the_pages_of_a_long_backlog_loses_and_doubles_nothing()
    {
        // The database of a killed host stays.
        await using (var first = await HostProcess.StartAsync(_home.Path))
            await first.KillAsync();
        await using var server = await EmbeddedPostgres.StartAsync(new LumoraHome(_home.Path), _ => { }, Ct);
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
        await AppendAsync(server.ConnectionString, PageEvents * (s_kills + 4));
        var events = await LeafTable.NumberAsync(database, "select count(*) from mt_events", Ct);
        var sizes = new List<long> { await SizeAsync(database) };
        for (var kill = 1; kill <= s_kills; kill++)
        {
            await using var host = HostProcess.Launch(_home.Path);
            while (await SizeAsync(database) == sizes[^1])
                await Task.Delay(1, Ct);
            await host.KillAsync();
            sizes.Add(await SizeAsync(database));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{events} events, killed at {string.Join(", ", sizes)} leaves");
        // Full pages each time, and not yet the last one, which moves the progress: each of them was brought again.
        Assert.All(sizes.Zip(sizes.Skip(1)), pair => Assert.Equal(0, (pair.Second - pair.First) % PageEvents));
        Assert.InRange(sizes[^1], PageEvents * s_kills, events - 1);

        await using var last = await HostProcess.StartAsync(_home.Path);
        await PublishedLog.WhenAsync(_home, last, log => log.Entries.Count >= events, Ct);
        await LeafTable.AssertWholeAsync(database, Ct);
        await last.StopAsync();
    }

    private static async Task AppendAsync(string connectionString, int count)
    {
        await using var shards = new ShardMap(connectionString);
        await using var store = DocumentStore.For(options => EventStoreSetup.Configure(options, shards));
        var sessions = new ShardSessions(store, shards);
        for (var done = 0; done < count; done += EventsOfCommit)
        {
            await using var session = sessions.Open(ShardRole.Region, Actor.System("test"));
            for (var i = 0; i < EventsOfCommit; i++)
            {
                var stream = $"node/{Guid.NewGuid():N}";
                session.Events.StartStream<NodeState>(stream, new NodeRegistered(
                    stream, "participant_test", Region: null, NodeAllowance.Default, TimeProvider.System.Now()));
            }

            await session.SaveChangesAsync(Ct);
        }
    }

    private static Task<long> SizeAsync(NpgsqlDataSource database) =>
        LeafTable.NumberAsync(database, "select coalesce(max(size), 0) from log_head", Ct);
}
