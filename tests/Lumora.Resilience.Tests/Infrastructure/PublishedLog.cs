using Lumora.Chain.Blobs;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Domain.Log;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Resilience.Tests.Infrastructure;

/// <summary>The log's files as they lie in a home, hashed again from the first byte on against a served checkpoint.</summary>
/// <param name="Key">The log's key.</param>
/// <param name="Entries">The entries that the checkpoint covers.</param>
internal sealed record PublishedLog(VerifierKey Key, IReadOnlyList<byte[]> Entries)
{
    /// <summary>The entries, decoded.</summary>
    public IReadOnlyList<DecodedLeaf> Leaves { get; } = [.. Entries.Select(entry => Leaf.Decode(entry))];

    /// <summary>Checks checkpoint after checkpoint of <paramref name="host"/> until one of them has what is expected.</summary>
    public static async Task<PublishedLog> WhenAsync(
        HomeFolder home, HostProcess host, Func<PublishedLog, bool> hasAll, CancellationToken ct)
    {
        var key = VerifierKey.Parse((await host.Client.GetStringAsync("/log/main/key", ct)).Trim());
        var tiles = new BlobTiles(new FolderBlobStore(Path.Combine(home.Path, "log", "main")));
        return await Patience.ForAsync(async () =>
        {
            var note = await host.Client.GetByteArrayAsync("/log/main/checkpoint", ct);
            var entries = new List<byte[]>();
            var report = await LogFsck.RunAsync(tiles, key, note, (_, entry) => entries.Add(entry.ToArray()), ct);
            Assert.Empty(report.Problems);
            var log = new PublishedLog(key, entries);
            log.AssertWhole();
            return hasAll(log) ? log : null;
        });
    }

    /// <summary>How many transactions of <paramref name="kind"/> the ledger's entries have.</summary>
    public int Transactions(string kind) => Leaves.Count(entry =>
        entry.Leaf.Type == "transaction_posted" && entry.Data.GetProperty("kind").ValueEquals(kind));

    // No event twice, no gap in a stream.
    private void AssertWhole()
    {
        Assert.Equal(Leaves.Count, Leaves.Select(entry => entry.Leaf.Id).Distinct().Count());
        foreach (var stream in Leaves.Select(entry => entry.Leaf).GroupBy(leaf => leaf.Stream, StringComparer.Ordinal))
            Assert.Equal(Enumerable.Range(1, stream.Count()).Select(i => (long)i), stream.Select(leaf => leaf.Version));
    }
}
