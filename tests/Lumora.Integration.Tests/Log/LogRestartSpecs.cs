using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Verification;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Integration.Tests.Log;

public sealed class LogRestartSpecs(TestDatabases databases)
{
    // More than two pages of the sequencer, and no multiple of one: a range that comes at once and is committed in parts.
    private const int EventsInOneCommit = 4_270;

    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    /// <summary>
    /// A rewound subscription brings every event again: none may become a second leaf, and the log goes on where it stopped.
    /// </summary>
    [Fact]
    public async Task A_restarted_host_goes_on_with_the_same_log_even_when_its_subscription_was_rewound()
    {
        var connection = await databases.CreateAsync();
        var home = Path.Combine(Path.GetTempPath(), $"lumora-restart-{Guid.NewGuid():N}");
        try
        {
            PublishedCheckpoint before;
            await using (var app = new LumoraApp(connection, home))
            {
                await app.StartAsync();
                before = await AppendAndWaitAsync(app, EventsInOneCommit);
            }

            await ExecuteAsync(connection, "delete from mt_event_progression where name like 'log-sequencer%'");
            Directory.Delete(Path.Combine(home, "log", "main", "tile"), recursive: true);

            await using (var app = new LumoraApp(connection, home))
            {
                await app.StartAsync();
                var after = await AppendAndWaitAsync(app, 1);
                Assert.Equal(before.Checkpoint.Origin, after.Checkpoint.Origin);
                Assert.Equal(before.Checkpoint.Size + 1, after.Checkpoint.Size);
                var log = app.Get<ShardLogs>().Find(ShardMap.DefaultShard)!;
                var report = await LogFsck.RunAsync(new BlobTiles(log.Blobs), log.Key, after.Note, onEntry: null, None);
                Assert.Empty(report.Problems);
                Assert.Equal(after.Checkpoint.Size, report.Size);
            }
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    /// <summary>A disk that refuses delays the log and stops nothing else.</summary>
    [Fact]
    public async Task A_host_whose_lock_folder_cannot_be_made_serves_and_signs_as_soon_as_it_can()
    {
        var home = Path.Combine(Path.GetTempPath(), $"lumora-no-lock-{Guid.NewGuid():N}");
        Directory.CreateDirectory(home);
        await File.WriteAllTextAsync(Path.Combine(home, "lock"), "in the way", None);
        try
        {
            await using var app = new LumoraApp(await databases.CreateAsync(), home);
            await app.StartAsync();
            using var client = app.CreateClient();
            await Patience.UntilAsync(async () =>
                (await client.GetStringAsync("/readyz", None)).Contains("log_not_published", StringComparison.Ordinal));
            File.Delete(Path.Combine(home, "lock"));
            await AppendAndWaitAsync(app, 1);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    /// <summary>Appends events and waits for the checkpoint that has the last of them.</summary>
    private static async Task<PublishedCheckpoint> AppendAndWaitAsync(LumoraApp app, int count)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(None);
        limit.CancelAfter(Patience.Time);
        var sessions = app.Get<ShardSessions>();
        var stream = "";
        await using (var session = sessions.Open(ShardRole.Region, Actor.System("test")))
        {
            for (var i = 0; i < count; i++)
            {
                stream = $"node/{Guid.NewGuid():N}";
                session.Events.StartStream<NodeState>(stream, new NodeRegistered(
                    stream, "participant_test", Region: null, NodeAllowance.Default, TimeProvider.System.Now()));
            }

            await session.SaveChangesAsync(limit.Token);
        }

        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand("select id from mt_events where stream_id = $1");
        command.Parameters.AddWithValue(stream);
        var last = (Guid)(await command.ExecuteScalarAsync(limit.Token))!;
        var logs = app.Get<ShardLogs>();
        var size = 0L;
        while (true)
        {
            var checkpoint = await logs.WaitForLargerAsync(ShardMap.DefaultShard, size, limit.Token);
            size = checkpoint.Checkpoint.Size;
            if (await logs.Find(ShardMap.DefaultShard)!.Leaves.FindAsync(last, limit.Token) is { } leaf && leaf.Index < size)
                return checkpoint;
        }
    }

    private static async Task ExecuteAsync(string connection, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connection);
        await using var command = source.CreateCommand(sql);
        Assert.True(await command.ExecuteNonQueryAsync(None) > 0);
    }
}
