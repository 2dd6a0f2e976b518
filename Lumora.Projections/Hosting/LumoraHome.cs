using Microsoft.Extensions.Configuration;

namespace Lumora.Projections.Hosting;

/// <summary>
/// The one folder that holds an installation's state: embedded database, keys, log files, blobs. Moved by
/// <c>Lumora:Home</c> or the environment variable <c>LUMORA_HOME</c>; by default a folder of the user's.
/// </summary>
public sealed class LumoraHome
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>
    /// Uses <paramref name="path"/>, made when absent. Others may pass through it (a host that runs as root runs its
    /// database as another user) but list nothing; every folder below it is its owner's alone.
    /// </summary>
    public LumoraHome(string path)
    {
        Path = System.IO.Path.GetFullPath(path);
        MakeFolder(Path, Private | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
    }

    /// <summary>The absolute path.</summary>
    public string Path { get; }

    /// <summary>Private keys, one file per duty.</summary>
    public string Keys => Folder("keys");

    /// <summary>The home that <paramref name="configuration"/> and the environment name.</summary>
    public static LumoraHome From(IConfiguration configuration)
    {
        var configured = configuration["Lumora:Home"] ?? Environment.GetEnvironmentVariable("LUMORA_HOME");
        return new LumoraHome(string.IsNullOrWhiteSpace(configured) ? DefaultPath() : configured);
    }

    /// <summary>A folder below the home, made when absent.</summary>
    public string Folder(params ReadOnlySpan<string> segments)
    {
        var folder = System.IO.Path.Combine([Path, .. segments]);
        if (!Directory.Exists(folder))
        {
            MakeFolder(folder, Private);
            FolderFlush.ToDisk(System.IO.Path.GetDirectoryName(folder)!);
        }

        return folder;
    }

    /// <summary>The home without any setting, which need not exist.</summary>
    /// <exception cref="InvalidOperationException">This user has no folder of its own.</exception>
    public static string DefaultPath()
    {
        var data = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        if (data.Length == 0)
            throw new InvalidOperationException("This user has no home folder: set Lumora:Home or LUMORA_HOME.");
        return System.IO.Path.Combine(data, "lumora");
    }

    private static void MakeFolder(string path, UnixFileMode mode)
    {
        if (Directory.Exists(path))
            return;
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, mode);
    }
}
