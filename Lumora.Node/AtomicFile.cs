namespace Lumora.Node;

/// <summary>A file that is there whole or as it was before, also after a power cut.</summary>
internal static class AtomicFile
{
    /// <summary>Replaces <paramref name="path"/>: new file, flushed to disk, renamed over the old one. Owner-readable only.</summary>
    internal static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".new";
        using (var file = Create(temporary))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>A new or emptied file that only its owner can read.</summary>
    internal static FileStream Create(string path) => Open(path, FileMode.Create);

    /// <summary>Opens <paramref name="path"/>; a new file is readable by its owner only.</summary>
    internal static FileStream Open(string path, FileMode mode, FileAccess access = FileAccess.ReadWrite)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }
}
