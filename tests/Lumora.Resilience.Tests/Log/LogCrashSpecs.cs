using System.Collections.Concurrent;
using Lumora.Chain.Verification;
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
        AssertNoFork(await PublishedLog.WhenAsync(_home, last, HasAllAcknowledged, Ct));
    }

    private bool HasAllAcknowledged(PublishedLog log)
    {
        var streams = log.Leaves.Select(entry => entry.Leaf.Stream).ToHashSet(StringComparer.Ordinal);
        return _acknowledged.All(id => streams.Contains($"participant/{id}"));
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

    /// <summary>Every checkpoint that went out, before a kill or after, is a beginning of the log as it is now.</summary>
    private void AssertNoFork(PublishedLog log)
    {
        var served = _served.Select(note => NoteVerifier.VerifyCheckpoint(note, log.Key).Checkpoint).ToLookup(checkpoint => checkpoint.Size);
        Assert.NotEmpty(served);
        var range = new CompactRange();
        foreach (var entry in log.Entries)
        {
            range.Append(MerkleHash.OfLeaf(entry));
            Assert.All(served[range.Size], checkpoint => Assert.Equal(range.Root(), checkpoint.Root));
        }

        Assert.All(served, size => Assert.InRange(size.Key, 1, log.Entries.Count));
    }
}
