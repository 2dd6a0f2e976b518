using Lumora.Chain.Blobs;

namespace Lumora.Chain.Tests.Blobs;

public sealed class FolderBlobStoreTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"lumora-blobs-{Guid.NewGuid():N}");
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_blob_is_written_once_and_other_bytes_are_refused()
    {
        var store = new FolderBlobStore(_folder);
        Assert.Null(await store.ReadAsync("a/b", None));
        await store.PutAsync("a/b", new byte[] { 1, 2 }, None);
        await store.PutAsync("a/b", new byte[] { 1, 2 }, None);
        var conflict = await Assert.ThrowsAsync<BlobConflictException>(() => store.PutAsync("a/b", new byte[] { 1, 3 }, None));
        Assert.Equal("a/b", conflict.Path);
        Assert.Equal([1, 2], await store.ReadAsync("a/b", None));
        Assert.Single(Directory.GetFiles(Path.Combine(_folder, "a")));
    }

    [Fact]
    public async Task A_replaced_blob_has_its_new_bytes_and_a_deleted_one_none()
    {
        var store = new FolderBlobStore(_folder);
        await store.ReplaceAsync("checkpoint", new byte[] { 1 }, None);
        await store.ReplaceAsync("checkpoint", new byte[] { 2 }, None);
        Assert.Equal([2], await store.ReadAsync("checkpoint", None));
        await store.DeleteAsync("checkpoint", None);
        await store.DeleteAsync("checkpoint", None);
        Assert.Null(await store.ReadAsync("checkpoint", None));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("a\\b")]
    [InlineData("")]
    public void A_path_does_not_lead_out_of_the_store(string path) =>
        Assert.Throws<ArgumentException>(() => new FolderBlobStore(_folder).FileOf(path));
}
