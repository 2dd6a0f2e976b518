namespace Lumora.Projections.Hosting;

/// <summary>
/// A file that only its owner may read (mode 0600). Written once, whole: to a temporary name, flushed to the disk,
/// then linked to its name, so that neither a crash nor a second process leaves half a key or two keys.
/// </summary>
public static class SecretFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Reads the secret at <paramref name="path"/>, or makes it with <paramref name="create"/>.</summary>
    /// <exception cref="InvalidOperationException">Others than the owner may read the file.</exception>
    public static byte[] ReadOrCreate(string path, Func<byte[]> create)
    {
        if (!File.Exists(path))
            TryCreate(path, create());
        return Read(path);
    }

    /// <summary>Reads the secret at <paramref name="path"/>.</summary>
    /// <exception cref="InvalidOperationException">Others than the owner may read the file.</exception>
    public static byte[] Read(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnerOnly) != UnixFileMode.None)
        {
            throw new InvalidOperationException(
                $"The secret file {path} may be read by others than its owner. Run: chmod 600 {path}");
        }

        return File.ReadAllBytes(path);
    }

    /// <summary>Writes a new secret, which then survives a loss of power; false when <paramref name="path"/> exists already (it is left as it is).</summary>
    public static bool TryCreate(string path, ReadOnlySpan<byte> secret)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using (var file = new FileStream(temporary, options))
        {
            file.Write(secret);
            DiskFlush.ToDisk(file);
        }

        try
        {
            File.Move(temporary, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);
            return false;
        }

        FolderFlush.ToDisk(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return true;
    }
}
