using Lumora.Chain.Blobs;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Log;

/// <summary>
/// The newest checkpoint that everybody sees: the published file, whichever host has written it. What is given out besides it goes
/// as far as it does. Its signature is checked once. Safe for threads.
/// </summary>
public sealed class ServedCheckpoint(FolderBlobStore blobs, VerifierKey key)
{
    private volatile Verified? _newest;

    /// <summary>Leaves that are published; 0 before the first checkpoint.</summary>
    /// <exception cref="VerificationException">The file does not hold.</exception>
    public long Size => Read()?.Checkpoint.Size ?? 0;

    /// <summary>The note as it is served, what it says, and when its file was written; null before the first.</summary>
    /// <exception cref="VerificationException">The file does not hold.</exception>
    public (Checkpoint Checkpoint, byte[] Note, DateTimeOffset At)? Read()
    {
        if (ReadFile() is not var (note, at))
            return null;
        if (_newest is not { } newest || !newest.Note.AsSpan().SequenceEqual(note))
            _newest = newest = new Verified(note, NoteVerifier.VerifyCheckpoint(note, key).Checkpoint);
        return (newest.Checkpoint, newest.Note, at);
    }

    private (byte[] Note, DateTimeOffset At)? ReadFile()
    {
        try
        {
            // One handle: the file is replaced while it is read.
            using var file = File.OpenHandle(blobs.FileOf(LogPublisher.CheckpointPath), share: FileShare.ReadWrite | FileShare.Delete);
            var note = new byte[RandomAccess.GetLength(file)];
            var length = RandomAccess.Read(file, note, 0);
            return (note[..length], new DateTimeOffset(File.GetLastWriteTimeUtc(file)));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private sealed record Verified(byte[] Note, Checkpoint Checkpoint);
}
