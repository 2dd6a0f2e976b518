using JasperFx.Events.Projections;
using Lumora.Chain.Log;
using Lumora.Domain.Kernel;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Microsoft.Extensions.DependencyInjection;
using Wolverine.Runtime;
using Wolverine.Runtime.Agents;

namespace Lumora.Integration.Tests.Log;

/// <summary>
/// The sequencer meets what it has done already: two at a time on one database, one of another version that begins at the first event, one
/// that is set back, ranges with nothing in them, and events of a later release. The log has each event once.
/// </summary>
public sealed class SequencerRivalsSpecs(TestDatabases databases) : IDisposable
{
    private const int Rounds = 12;
    private const int EventsOfRound = 60;

    // One home, as hosts of one database have it: one of them signs, another takes over when it goes.
    private readonly string _home = Path.Combine(Path.GetTempPath(), $"lumora-rivals-{Guid.NewGuid():N}");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(_home))
            Directory.Delete(_home, recursive: true);
    }

    /// <summary>Each believes to be alone, as two hosts do whose operator forgot to say that there are two.</summary>
    [Fact]
    public async Task Two_hosts_that_sequence_one_database_at_once_make_one_log_and_neither_stands()
    {
        var connection = await databases.CreateAsync();
        await using var one = new LumoraApp(connection, _home);
        await using var another = new LumoraApp(connection, _home);
        await one.StartAsync();
        await another.StartAsync();
        for (var round = 0; round < Rounds; round++)
            await Task.WhenAll(LogBench.AppendManyAsync(one, EventsOfRound), LogBench.AppendManyAsync(another, EventsOfRound));
        var size = await WholeLog.AssertAsync(one);
        Assert.InRange(size, 2 * Rounds * EventsOfRound, long.MaxValue);
        // One of them signs; both give out what is published.
        foreach (var host in (LumoraApp[])[one, another])
        {
            using var client = host.CreateClient();
            Assert.Equal(size, (await client.GetStringAsync($"/v1/events?checkpoint={size}", Ct)).Count(letter => letter == '\n'));
        }

        // Whoever lost starts again: the log goes on with either of them alone.
        await one.DisposeAsync();
        await LogBench.AppendManyAsync(another, 1);
        await WholeLog.AssertAsync(another);
    }

    /// <summary>A new version has a progress of its own, and begins at the first event; the old one still runs beside it.</summary>
    [Fact]
    public async Task A_sequencer_of_another_version_brings_every_event_again_and_the_log_has_none_twice()
    {
        var connection = await databases.CreateAsync();
        await using var old = new LumoraApp(connection, _home);
        await old.StartAsync();
        await LogBench.AppendManyAsync(old, EventsOfRound);
        var size = await WholeLog.AssertAsync(old);

        await using var next = new LumoraApp(connection, _home, services: services => services.AddSingleton(
            provider => new LogSequencer(provider.GetRequiredService<ShardMap>()) { SubscriptionVersion = 2 }));
        await next.StartAsync();
        for (var round = 0; round < Rounds; round++)
            await Task.WhenAll(LogBench.AppendManyAsync(old, EventsOfRound), LogBench.AppendManyAsync(next, EventsOfRound));
        Assert.InRange(await WholeLog.AssertAsync(old), size + (2 * Rounds * EventsOfRound), long.MaxValue);
        await ReachedAsync(next, "log-sequencer:V2:All");
        await ReachedAsync(next, "log-sequencer:All");
        await WholeLog.AssertAsync(old);
    }

    [Fact]
    public async Task A_sequencer_that_is_rewound_while_it_runs_brings_every_event_again_and_the_log_has_none_twice()
    {
        await using var app = new LumoraApp(await databases.CreateAsync());
        await app.StartAsync();
        await LogBench.AppendManyAsync(app, EventsOfRound);
        var size = await WholeLog.AssertAsync(app);
        var node = ((WolverineRuntime)app.Get<IWolverineRuntime>()).NodeController!;
        var sequencer = node.Agents.Single(agent => agent.Key.OriginalString.Contains(LogSequencer.Name, StringComparison.Ordinal)).Value;
        await ((IEventSubscriptionAgent)sequencer).RewindAsync(sequenceFloor: 0, timestamp: null, Ct);
        await LogBench.AppendManyAsync(app, EventsOfRound);
        Assert.InRange(await WholeLog.AssertAsync(app), size + EventsOfRound, long.MaxValue);
        await ReachedAsync(app, "log-sequencer:All");
        await WholeLog.AssertAsync(app);
    }

    [Fact]
    public async Task A_page_of_burnt_numbers_writes_nothing_and_wakes_nobody()
    {
        await using var app = new LumoraApp(await databases.CreateAsync());
        await app.StartAsync();
        await LogBench.AppendManyAsync(app, 1);
        await WholeLog.AssertAsync(app);
        var burnt = await NumberAsync(app, "select max(nextval('mt_events_sequence')) from generate_series(1, 3)");
        await using var session = app.Get<ShardSessions>().Open(ShardRole.Region, Actor.System("test"));
        var page = new EventRange(new ShardName(LogSequencer.Name), burnt - 3, burnt, agent: null!);
        await app.Get<LogSequencer>().ProcessEventsAsync(page, controller: null!, session, bus: null!, Ct);
        Assert.Empty(session.PendingChanges.Operations());
        await session.SaveChangesAsync(Ct);

        await LogBench.AppendManyAsync(app, 1);
        await WholeLog.AssertAsync(app);
    }

    /// <summary>A skipped event would be missing for ever, and one that stops the log would stop all others.</summary>
    [Fact]
    public async Task An_event_of_a_type_that_this_host_does_not_know_is_a_leaf_all_the_same()
    {
        await using var app = new LumoraApp(await databases.CreateAsync());
        await app.StartAsync();
        await LogBench.AppendManyAsync(app, 1);
        await NumberAsync(
            app,
            """
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, tenant_id, is_archived)
            select nextval('mt_events_sequence'), gen_random_uuid(), stream_id, version + 1, '{"new": "1"}', 'of_a_later_release', now(),
                'Lumora.Domain.Later.OfALaterRelease, Lumora.Domain', tenant_id, false
            from mt_events where stream_id like 'node/%' limit 1
            returning seq_id
            """);
        await LogBench.AppendManyAsync(app, 1);
        await WholeLog.AssertAsync(app);
        Assert.Equal(1, await NumberAsync(app, "select count(*) from log_leaves where type = 'of_a_later_release'"));
    }

    /// <summary>Waits until the progress of that name is at the last event.</summary>
    private static Task ReachedAsync(LumoraApp app, string progress) => Patience.UntilAsync(async () => await NumberAsync(
        app, $"select max(seq_id) - coalesce((select last_seq_id from mt_event_progression where name = '{progress}'), 0) from mt_events") == 0);

    private static async Task<long> NumberAsync(LumoraApp app, string sql)
    {
        await using var command = app.Get<ShardSessions>().DataSource(ShardRole.Region).CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }
}
