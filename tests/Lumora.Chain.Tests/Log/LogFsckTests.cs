using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Log;

public sealed class LogFsckTests
{
    [Theory]
    [InlineData("tile/entries/000", 2, "entry 0")]
    [InlineData("tile/entries/001", 25, "entry 257")]
    [InlineData("tile/0/000", 0, "entry 0")]
    [InlineData("tile/0/001", 8191, "entry 511")]
    [InlineData("tile/0/002.p/188", 40, "entry 513")]
    [InlineData("tile/entries/002.p/188", 0, "tile/entries/002.p/188")]
    [InlineData("tile/1/000.p/2", 33, "tile/1/000.p/2: hash 1")]
    [InlineData(LogPublisher.CheckpointPath, 0, "checkpoint")]
    [InlineData(LogPublisher.CheckpointPath, 30, "checkpoint")]
    public async Task A_changed_byte_is_found_and_named(string path, int at, string where)
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(700);
        await workshop.PublishAsync();
        Assert.True((await workshop.FsckAsync()).IsWhole);

        workshop.Flip(path, at);
        var report = await workshop.FsckAsync();
        Assert.False(report.IsWhole);
        Assert.Contains(where, report.Problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tile/entries/000")]
    [InlineData("tile/0/001")]
    [InlineData("tile/1/000.p/2")]
    [InlineData(LogPublisher.CheckpointPath)]
    public async Task A_missing_file_is_found_and_named(string path)
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(700);
        await workshop.PublishAsync();
        File.Delete(workshop.Blobs.FileOf(path));
        var report = await workshop.FsckAsync();
        Assert.Contains(report.Problems, problem => problem.Contains(path, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0, 700)]
    [InlineData(1, 2)]
    [InlineData(255, 256)]
    [InlineData(256, 700)]
    [InlineData(300, 301)]
    [InlineData(511, 66_000)]
    [InlineData(700, 700)]
    public async Task A_check_that_goes_on_from_an_edge_ends_at_the_edge_of_a_whole_one(int first, int second)
    {
        using var workshop = new LogWorkshop();
        var edge = TreeEdge.Empty;
        foreach (var size in new[] { first, second })
        {
            if (size == 0)
                continue;
            workshop.Leaves.Grow(size);
            await workshop.PublishAsync();
            var (from, seen) = (edge, new List<long>());
            edge = (await RunAsync(workshop, from, seen)).Edge!;
            Assert.Equal(Enumerable.Range((int)from.Size, size - (int)from.Size).Select(i => (long)i), seen);
        }

        var whole = (await RunAsync(workshop, TreeEdge.Empty, [])).Edge!;
        Assert.Equal(whole.Levels, edge.Levels);
        Assert.Equal(whole.Peaks, edge.Peaks);
        var read = await TreeEdge.ReadAsync(new BlobTiles(workshop.Blobs), await CheckpointAsync(workshop), TestContext.Current.CancellationToken);
        Assert.Equal(whole.Size, read.Size);
        Assert.Equal(whole.Peaks, read.Peaks);
        Assert.Equal(whole.Levels, read.Levels);
    }

    [Fact]
    public async Task An_entry_that_was_rewritten_since_the_edge_is_named_with_its_bytes()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(300);
        await workshop.PublishAsync();
        var edge = (await RunAsync(workshop, TreeEdge.Empty, [])).Edge!;
        workshop.Flip("tile/entries/001.p/44", 5);
        var report = await RunAsync(workshop, edge, []);
        Assert.Contains("entry 256: its bytes in the bundle are not those of the earlier check", report.Problems);
        Assert.Null(report.Edge);
        Assert.Equal(256, Assert.Single(report.Rewritten).Index);
    }

    [Fact]
    public async Task An_edge_of_another_tree_is_refused()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(300);
        await workshop.PublishAsync();
        var edge = (await RunAsync(workshop, TreeEdge.Empty, [])).Edge!;
        var root = (await CheckpointAsync(workshop)).Root;
        edge.MustHave(root);
        var other = MerkleHash.OfLeaf("other"u8);
        Assert.Throws<VerificationException>(() => edge.MustHave(other));
        Assert.Throws<VerificationException>(() => (edge with { Size = 299 }).MustHave(root));
        Assert.Throws<VerificationException>(() => (edge with { Peaks = [other, .. edge.Peaks.Skip(1)] }).MustHave(root));
        Assert.Throws<VerificationException>(() => (edge with { Levels = [[other, .. edge.Levels[0].Skip(1)], .. edge.Levels.Skip(1)] }).MustHave(root));
    }

    private static async Task<FsckReport> RunAsync(LogWorkshop workshop, TreeEdge from, List<long> seen) => await LogFsck.RunAsync(
        new BlobTiles(workshop.Blobs), await CheckpointAsync(workshop), from,
        (index, _) =>
        {
            seen.Add(index);
            return ValueTask.CompletedTask;
        },
        TestContext.Current.CancellationToken);

    private static async Task<Checkpoint> CheckpointAsync(LogWorkshop workshop) => Checkpoint.Parse(SignedNote.Parse(
        (await workshop.Blobs.ReadAsync(LogPublisher.CheckpointPath, TestContext.Current.CancellationToken))!).Text);
}
