using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Projections.Hosting;

namespace Lumora.Api.Datasets;

/// <summary>
/// Encrypted files by the SHA-256 of their bytes: written once, never changed. They are streamed, never held: a file
/// may be larger than memory.
/// </summary>
public sealed class DatasetBodies(LumoraHome home)
{
    private const string Folder = "datasets";

    /// <summary>An empty folder for a build, on the same disk, so that keeping a file is a rename.</summary>
    public string NewScratch()
    {
        var folder = home.Folder("scratch", Folder, Guid.NewGuid().ToString("N"));
        return folder;
    }

    /// <summary>Throws away what builds left behind that were killed. Only while no build runs.</summary>
    public void ClearScratch() => Directory.Delete(home.Folder("scratch", Folder), recursive: true);

    /// <summary>Moves the file at <paramref name="path"/> under its hash. Safe to repeat.</summary>
    public void Keep(string path, string sha256)
    {
        using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite))
            DiskFlush.ToDisk(file);
        File.Move(path, PathOf(sha256), overwrite: true);
    }

    /// <summary>Opens the body of <paramref name="file"/> for reading.</summary>
    /// <exception cref="FileNotFoundException">It is gone.</exception>
    public FileStream Open(DatasetFile file) => new(
        PathOf(file.BodySha256), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);

    private string PathOf(string sha256)
    {
        Check.That(sha256.Length == 64 && sha256.All(char.IsAsciiHexDigitLower));
        return Path.Combine(home.Folder("blobs", Folder), sha256);
    }
}
