using Lumora.Chain.Log;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Log;
using Lumora.Integration.Tests.Solana;
using Lumora.Projections.Anchoring;
using Lumora.Projections.EventStore;
using Marten;

namespace Lumora.Integration.Tests.Anchoring;

/// <summary>A backup of everything (database, files and lock) is put back that is older than the newest anchor.</summary>
public sealed class OldBackupSpecs(TestDatabases databases)
{
    private static readonly Dictionary<string, string> s_settings =
        LocalSolana.Settings.Append(new("Anchoring:IntervalMs", "100")).Append(new("Anchoring:PollMs", "25"))
            .ToDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_on_an_old_backup_finds_its_own_newer_anchor_on_Solana_and_signs_nothing()
    {
        var home = Path.Combine(Path.GetTempPath(), $"lumora-old-backup-{Guid.NewGuid():N}");
        try
        {
            long anchored;
            await using (var app = new LumoraApp(await databases.CreateAsync(), home, s_settings))
            {
                await app.StartAsync();
                for (var i = 0; i < 20; i++)
                    await LogBench.AppendAsync(app, $"lost{i}");
                anchored = await AnchorWatch.AtRestAsync(app);
            }

            // The backup is from before the first event; keys and chain live on.
            Directory.Delete(Path.Combine(home, "log"), recursive: true);
            Directory.Delete(Path.Combine(home, "lock"), recursive: true);
            await using (var app = new LumoraApp(await databases.CreateAsync(), home, s_settings))
            {
                await app.StartAsync();
                // The chain is not there yet: this is signed. It must not be anchored.
                await LogBench.AppendAsync(app, "fork");
                var reason = await AnchorWatch.RefusedAsync(app);
                Assert.Contains($"anchored a checkpoint of {anchored} leaves", reason, StringComparison.Ordinal);
                Assert.Contains("an old backup was restored", reason, StringComparison.Ordinal);
                using var client = app.CreateClient();
                Assert.Contains("log_refused", await client.GetStringAsync("/readyz", Ct), StringComparison.Ordinal);

                var size = app.Get<ShardLogs>().Latest("main")?.Checkpoint.Size ?? 0;
                var (id, _) = await LogBench.AppendAsync(app, "after");
                var log = app.Get<ShardLogs>().Find("main")!;
                await Patience.UntilAsync(async () => await log.Leaves.FindAsync(id, Ct) is not null);
                await AnchorWatch.RefusedAsync(app);
                Assert.Equal(size, app.Get<ShardLogs>().Latest("main")?.Checkpoint.Size ?? 0);
                await using var query = app.Get<ShardSessions>().Query(ShardRole.Global);
                Assert.Empty(await query.Query<AnchorView>().ToListAsync(TestContext.Current.CancellationToken));
            }
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }
}
