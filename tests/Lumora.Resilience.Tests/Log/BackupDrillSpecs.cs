using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Chain.Log;
using Lumora.Chain.Verification;
using Lumora.Domain.Merkle;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Hosting;
using Lumora.Resilience.Tests.Infrastructure;

namespace Lumora.Resilience.Tests.Log;

/// <summary>
/// The drill of docs/backup.md with a real host, a database of its own and a witness: everything is lost and comes back, and the log goes
/// on. Before that, what goes wrong on bad days: an old backup is restored by mistake, first beside the lock, then together with it.
/// </summary>
public sealed class BackupDrillSpecs : IAsyncLifetime
{

    private readonly HomeFolder _home = new();
    private readonly string _elsewhere = Directory.CreateTempSubdirectory("lumora-elsewhere-").FullName;
    private readonly List<string> _acknowledged = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Policy => Path.Combine(_elsewhere, "policy");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _home.DisposeAsync();
        Directory.Delete(_elsewhere, recursive: true);
    }

    [Fact]
    public async Task An_old_backup_is_refused_with_the_reason_and_the_newest_one_lets_the_log_go_on()
    {
        await using var database = await BackedUpDatabase.StartAsync(Ct);
        await using var witness = await StartWitnessAsync();
        var served = await BackUpAndLoseAsync(database);

        await database.RestoreAsync(withAllCommits: false, Ct);
        await RefusesAsync(database, served, "it was set back");

        // The lock and the files come from the old backup too: on this machine nothing knows better.
        Replace("lock", "log");
        await RefusesAsync(database, served: null, "was witnessed a checkpoint of");

        Remove("lock", "log");
        await database.RestoreAsync(withAllCommits: true, Ct);
        await using var host = await StartAsync(database);
        await SignInAsync(host);
        var log = await PublishedLog.WhenAsync(_home, host, HasAll, Ct);
        AssertBegins(log, served);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_dump_of_a_stopped_host_moves_it_and_a_dump_of_a_running_one_is_refused()
    {
        await using var database = await BackedUpDatabase.StartAsync(Ct);
        await using var witness = await StartWitnessAsync();
        byte[] served;
        await using (var host = await StartAsync(database))
        {
            await SignInAsync(host);
            await PublishedLog.WhenAsync(_home, host, HasAll, Ct);
            await database.DumpAsync("running", Ct);
            await SignInAsync(host);
            await PublishedLog.WhenAsync(_home, host, HasAll, Ct);
            served = await CheckpointAsync(host);
            await host.StopAsync();
        }

        await database.DumpAsync("stopped", Ct);
        await database.MoveAsync("running", Ct);
        await RefusesAsync(database, served, "it was set back");

        await database.MoveAsync("stopped", Ct);
        await using (var host = await StartAsync(database))
        {
            await SignInAsync(host);
            AssertBegins(await PublishedLog.WhenAsync(_home, host, HasAll, Ct), served);
            await host.StopAsync();
        }
    }

    /// <summary>Answers the last checkpoint that people saw.</summary>
    private async Task<byte[]> BackUpAndLoseAsync(BackedUpDatabase database)
    {
        await using var host = await StartAsync(database);
        await SignInAsync(host);
        await PublishedLog.WhenAsync(_home, host, HasAll, Ct);
        await database.BackUpAsync(Ct);
        Keep("lock", "log");
        for (var i = 0; i < 5; i++)
            await SignInAsync(host);
        await PublishedLog.WhenAsync(_home, host, HasAll, Ct);
        var served = await CheckpointAsync(host);
        await host.KillAsync();
        await database.LoseAsync(Ct);
        return served;
    }

    /// <summary>The host serves, signs nothing, and says why.</summary>
    private async Task RefusesAsync(BackedUpDatabase database, byte[]? served, string reason)
    {
        await using var host = await StartAsync(database);
        var detail = await Patience.ForAsync(async () =>
            await LogDetailAsync(host, Ct) is var said && said.StartsWith("log_refused", StringComparison.Ordinal) ? said : null);
        TestContext.Current.TestOutputHelper!.WriteLine(detail);
        Assert.Contains(reason, detail, StringComparison.Ordinal);
        var checkpoint = await CheckpointAsync(host);
        Assert.Equal(served ?? await File.ReadAllBytesAsync(Path.Combine(_elsewhere, "log", "main", "checkpoint"), Ct), checkpoint);
        await host.StopAsync();
    }

    private async Task<WitnessProcess> StartWitnessAsync()
    {
        using var signer = LogKeys.Open(new LumoraHome(_home.Path), new LogOptions(), "main");
        var witness = await WitnessProcess.StartAsync(HostProcess.FreeAddress(), Path.Combine(_elsewhere, "witness"), signer.Key);
        await File.WriteAllTextAsync(Policy, $"witness w1 {witness.Key} {witness.Address}\nquorum w1\n", Ct);
        return witness;
    }

    private Task<HostProcess> StartAsync(BackedUpDatabase database) => HostProcess.StartAsync(
        _home.Path, "--ConnectionStrings:Lumora", database.ConnectionString, "--Log:Witness:Policy", Policy);

    private async Task SignInAsync(HostProcess host)
    {
        using var client = new HttpClient { BaseAddress = host.Address };
        _acknowledged.Add((await new TestWallet().SignInAsync(client, Ct)).ParticipantId);
    }

    private bool HasAll(PublishedLog log)
    {
        var streams = log.Leaves.Select(entry => entry.Leaf.Stream).ToHashSet(StringComparer.Ordinal);
        return _acknowledged.All(id => streams.Contains($"participant/{id}"));
    }

    /// <summary>What people saw before is a beginning of the log as it is now.</summary>
    private static void AssertBegins(PublishedLog log, byte[] served)
    {
        var before = NoteVerifier.VerifyCheckpoint(served, log.Key).Checkpoint;
        Assert.InRange(before.Size, 1, log.Entries.Count - 1);
        var range = new CompactRange();
        foreach (var entry in log.Entries.Take((int)before.Size))
            range.Append(MerkleHash.OfLeaf(entry));
        Assert.Equal(range.Root(), before.Root);
    }

    private static Task<byte[]> CheckpointAsync(HostProcess host) => host.Client.GetByteArrayAsync("/log/main/checkpoint", Ct);

    private static async Task<string> LogDetailAsync(HostProcess host, CancellationToken ct)
    {
        using var answer = await host.Client.GetAsync("/readyz", ct);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("checks").GetProperty("log").GetProperty("detail").GetString() ?? "";
    }

    private void Keep(params string[] folders) => Copy(_home.Path, _elsewhere, folders);

    private void Replace(params string[] folders)
    {
        Remove(folders);
        Copy(_elsewhere, _home.Path, folders);
    }

    private void Remove(params string[] folders)
    {
        foreach (var folder in folders)
            Directory.Delete(Path.Combine(_home.Path, folder), recursive: true);
    }

    // While a host writes there and holds the lock, as backups do.
    private static void Copy(string from, string to, string[] folders)
    {
        using var copy = Process.Start("cp", ["-a", .. folders.Select(folder => Path.Combine(from, folder)), to]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
    }
}
