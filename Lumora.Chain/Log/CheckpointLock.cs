using Lumora.Chain.Blobs;

namespace Lumora.Chain.Log;

/// <summary>
/// The last checkpoint that was signed, in a small store of its own that backups never restore. It moves by
/// compare-and-swap before anything is published: whoever holds an older history cannot sign a fork of it.
/// </summary>
public interface ICheckpointLock
{
    /// <summary>The last signed checkpoint of <paramref name="shard"/>, or null before the first.</summary>
    Task<byte[]?> ReadAsync(string shard, CancellationToken cancellationToken);

    /// <summary>
    /// Puts <paramref name="next"/> in the place of <paramref name="expected"/> (null = none yet). When it throws, the swap
    /// may have happened or not: read before signing anything else.
    /// </summary>
    /// <exception cref="LogRefusedException">Something else stands there.</exception>
    Task SwapAsync(string shard, byte[]? expected, byte[] next, CancellationToken cancellationToken);
}

/// <summary>
/// The lock as a file for each shard in a folder. One process at a time holds the folder, which makes the file's
/// read-compare-replace one step.
/// </summary>
public sealed class FolderCheckpointLock : ICheckpointLock, IDisposable
{
    private readonly FolderBlobStore _store;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly FileStream _guard;

    /// <summary>Takes <paramref name="folder"/>.</summary>
    /// <exception cref="LogRefusedException">Another process holds it.</exception>
    public FolderCheckpointLock(string folder)
    {
        _store = new FolderBlobStore(folder);
        Directory.CreateDirectory(folder);
        try
        {
            _guard = new FileStream(Path.Combine(folder, "guard"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new LogRefusedException($"Another process signs checkpoints with the lock folder {folder}.", exception);
        }
    }

    /// <inheritdoc/>
    public Task<byte[]?> ReadAsync(string shard, CancellationToken cancellationToken) =>
        _store.ReadAsync(NameOf(shard), cancellationToken);

    /// <inheritdoc/>
    public async Task SwapAsync(string shard, byte[]? expected, byte[] next, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var present = await _store.ReadAsync(NameOf(shard), cancellationToken);
            if (!(present ?? []).AsSpan().SequenceEqual(expected ?? []))
                throw new LogRefusedException($"The lock of the log {shard} holds another checkpoint than the last one signed here.");
            await _store.ReplaceAsync(NameOf(shard), next, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _guard.Dispose();
        _turn.Dispose();
    }

    private static string NameOf(string shard) => $"{shard}.checkpoint";
}

/// <summary>The log does not sign, because signing could fork it; the message says why and what to look at.</summary>
public sealed class LogRefusedException : Exception
{
    /// <summary>Refused for the reason in <paramref name="message"/>.</summary>
    public LogRefusedException(string message)
        : base(message)
    {
    }

    /// <summary>Refused because of <paramref name="inner"/>.</summary>
    public LogRefusedException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
