using Lumora.Projections.Hosting;

namespace Lumora.Chain.Blobs;

/// <summary>
/// Blobs as files below a folder. A file is written to a temporary name, flushed to the disk and renamed, and then its folder
/// is flushed: after a crash a name has all of its bytes or does not exist.
/// </summary>
public sealed class FolderBlobStore(string root) : IBlobStore
{
    private const string TemporarySuffix = ".tmp";

    private readonly string _root = Path.GetFullPath(root);

    /// <summary>The file of <paramref name="path"/>, for serving it without reading it first.</summary>
    /// <exception cref="ArgumentException">The path leads out of the store.</exception>
    public string FileOf(string path)
    {
        var parts = path.Split('/');
        if (parts.Any(part => part.Length == 0 || part is "." or ".." || part.AsSpan().ContainsAny('\\', '\0', ':')))
            throw new ArgumentException($"\"{path}\" is no path of a blob.", nameof(path));
        return Path.Combine([_root, .. parts]);
    }

    /// <inheritdoc/>
    public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var file = FileOf(path);
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<byte[]?>(cancellationToken);
        try
        {
            // Mostly asked for what is not there yet; an exception would say so at many times the price.
            // .NET reads a file asynchronously by waiting for it on another thread: for some kilobytes, the way there is longer.
            return Task.FromResult(File.Exists(file) ? File.ReadAllBytes(file) : null);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<byte[]?>(null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Task.FromException<byte[]?>(exception);
        }
    }

    /// <inheritdoc/>
    public Task<bool> ExistsAsync(string path, CancellationToken cancellationToken) => cancellationToken.IsCancellationRequested
        ? Task.FromCanceled<bool>(cancellationToken)
        : Task.FromResult(File.Exists(FileOf(path)));

    /// <inheritdoc/>
    public async Task PutAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (await ReadAsync(path, cancellationToken) is { } present)
        {
            if (!present.AsSpan().SequenceEqual(bytes.Span))
                throw new BlobConflictException(path);
            // A crash may have come between the rename and the flush of the folder.
            FolderFlush.ToDisk(Path.GetDirectoryName(FileOf(path))!);
            return;
        }

        await WriteAsync(path, bytes, cancellationToken);
    }

    /// <inheritdoc/>
    public Task ReplaceAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        WriteAsync(path, bytes, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(string path, CancellationToken cancellationToken)
    {
        var file = FileOf(path);
        if (File.Exists(file))
            File.Delete(file);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task DeleteFolderAsync(string folder, CancellationToken cancellationToken)
    {
        var path = FileOf(folder);
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
        return Task.CompletedTask;
    }

    private async Task WriteAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var file = FileOf(path);
        var folder = Path.GetDirectoryName(file)!;
        MakeFolder(folder);
        var temporary = $"{file}.{Guid.NewGuid():N}{TemporarySuffix}";
        try
        {
            using (var handle = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                await RandomAccess.WriteAsync(handle, bytes, 0, cancellationToken);
                DiskFlush.ToDisk(handle);
            }

            File.Move(temporary, file, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        FolderFlush.ToDisk(folder);
    }

    /// <summary>Makes a folder and flushes the one above it, up to the first that was there.</summary>
    private static void MakeFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        var above = Path.GetDirectoryName(folder)!;
        MakeFolder(above);
        Directory.CreateDirectory(folder);
        FolderFlush.ToDisk(above);
    }
}
