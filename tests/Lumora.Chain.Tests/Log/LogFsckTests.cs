using Lumora.Chain.Log;

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
}
