using System.Collections.Concurrent;
using Lumora.Chain.Blobs;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Resilience.Tests.Infrastructure;

namespace Lumora.Resilience.Tests.Log;

/// <summary>The host dies by kill −9 while people sign in, which appends events; then its log is checked from the first byte on.</summary>
public sealed class LogCrashSpecs : IAsyncLifetime
{
    private const int Kills = 3;
    private const int People = 4;

    private static readonly string[] s_arguments = ["--Lumora:Identity:AttemptsPerMinute", "100000"];

    private readonly HomeFolder _home = new();

    /// <summary>Participants whose sign-in was answered.</summary>
    private readonly ConcurrentBag<string> _acknowledged = [];

    /// <summary>Checkpoints that were served.</summary>
    private readonly ConcurrentBag<byte[]> _served = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _home.DisposeAsync();

    [Fact]
    public async Task After_kills_in_the_middle_of_appends_the_log_is_whole_and_has_all_that_was_acknowledged()
    {
        for (var kill = 1; kill <= Kills; kill++)
        {
            await using var host = await HostProcess.StartAsync(_home.Path, s_arguments);
            var target = _acknowledged.Count + (7 * kill);
            var people = Enumerable.Range(0, People).Select(_ => SignInUntilItDiesAsync(host)).ToList();
            while (_acknowledged.Count < target)
                await Task.Delay(5, Ct);
            await host.KillAsync();
            await Task.WhenAll(people);
        }

        await using var last = await HostProcess.StartAsync(_home.Path, s_arguments);
        await SignInAsync(last);
        var leaves = await PublishedAsync(last);
        Assert.Equal(leaves.Count, leaves.Select(leaf => leaf.Id).Distinct().Count());
        foreach (var stream in leaves.GroupBy(leaf => leaf.Stream, StringComparer.Ordinal))
            Assert.Equal(Enumerable.Range(1, stream.Count()).Select(i => (long)i), stream.Select(leaf => leaf.Version));
    }

    private async Task SignInUntilItDiesAsync(HostProcess host)
    {
        try
        {
            while (true)
                await SignInAsync(host);
        }
        catch (Exception died) when (died is HttpRequestException or IOException)
        {
            // What was not answered may stand in the log or not.
        }
    }

    private async Task SignInAsync(HostProcess host)
    {
        using var client = new HttpClient { BaseAddress = host.Address };
        _acknowledged.Add((await new TestWallet().SignInAsync(client, Ct)).ParticipantId);
        using var checkpoint = await client.GetAsync("/log/main/checkpoint", Ct);
        if (checkpoint.IsSuccessStatusCode)
            _served.Add(await checkpoint.Content.ReadAsByteArrayAsync(Ct));
    }

    /// <summary>The entries of a checkpoint that has every acknowledged sign-in, after a full check of all files.</summary>
    private async Task<List<Leaf>> PublishedAsync(HostProcess host)
    {
        var key = VerifierKey.Parse((await host.Client.GetStringAsync("/log/main/key", Ct)).Trim());
        var tiles = new BlobTiles(new FolderBlobStore(Path.Combine(_home.Path, "log", "main")));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            var note = await host.Client.GetByteArrayAsync("/log/main/checkpoint", limit.Token);
            var entries = new List<byte[]>();
            var report = await LogFsck.RunAsync(tiles, key, note, (_, entry) => entries.Add(entry.ToArray()), limit.Token);
            Assert.Empty(report.Problems);
            var leaves = entries.ConvertAll(entry => Leaf.Decode(entry).Leaf);
            var streams = leaves.Select(leaf => leaf.Stream).ToHashSet(StringComparer.Ordinal);
            if (!_acknowledged.All(id => streams.Contains($"participant/{id}")))
                continue;
            AssertNoFork(entries, key);
            return leaves;
        }
    }

    /// <summary>Every checkpoint that went out, before a kill or after, is a beginning of the log as it is now.</summary>
    private void AssertNoFork(List<byte[]> entries, VerifierKey key)
    {
        var served = _served.Select(note => NoteVerifier.VerifyCheckpoint(note, key).Checkpoint).ToLookup(checkpoint => checkpoint.Size);
        Assert.NotEmpty(served);
        var range = new CompactRange();
        foreach (var entry in entries)
        {
            range.Append(MerkleHash.OfLeaf(entry));
            Assert.All(served[range.Size], checkpoint => Assert.Equal(range.Root(), checkpoint.Root));
        }

        Assert.All(served, size => Assert.InRange(size.Key, 1, entries.Count));
    }
}
