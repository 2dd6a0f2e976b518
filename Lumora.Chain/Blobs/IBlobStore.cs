namespace Lumora.Chain.Blobs;

/// <summary>
/// Where immutable bytes are kept: tiles, bundles, results, datasets. A path is relative, with <c>/</c> between its parts.
/// When a write returns, its bytes survive a loss of power; when it throws, they may be there or not.
/// </summary>
public interface IBlobStore
{
    /// <summary>The bytes at <paramref name="path"/>, or null when there are none.</summary>
    Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken);

    /// <summary>Whether there is a blob at <paramref name="path"/>.</summary>
    async Task<bool> ExistsAsync(string path, CancellationToken cancellationToken) => await ReadAsync(path, cancellationToken) is not null;

    /// <summary>Writes a blob that never changes. The same bytes again are no error.</summary>
    /// <exception cref="BlobConflictException">Other bytes stand there already.</exception>
    Task PutAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Writes the one kind of blob that does change (a checkpoint); readers see the old or the new bytes.</summary>
    Task ReplaceAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Removes a blob that is no longer needed; absent is no error.</summary>
    Task DeleteAsync(string path, CancellationToken cancellationToken);

    /// <summary>Removes every blob whose path begins with <paramref name="folder"/> and <c>/</c>; none is no error.</summary>
    Task DeleteFolderAsync(string folder, CancellationToken cancellationToken);
}

/// <summary>A blob that never changes was to be written with other bytes than it has.</summary>
public sealed class BlobConflictException(string path) : Exception($"{path} exists already with other bytes.")
{
    /// <summary>The blob's path.</summary>
    public string Path { get; } = path;
}
