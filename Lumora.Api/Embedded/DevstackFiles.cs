using System.Security.Cryptography;
using Lumora.Api.Operations;

namespace Lumora.Api.Embedded;

/// <summary>
/// The npm packages of <c>devstack/</c>, which the build lays beside the host. They are copied into a folder that
/// the host may write to and installed there: a checkout or an image may be read-only.
/// </summary>
internal static class DevstackFiles
{
    private const string InstalledMark = ".installed";

    /// <summary>Copies the package <paramref name="name"/> to <paramref name="target"/>.</summary>
    public static void Copy(string name, string target)
    {
        var source = SourceOf(name);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(source, file);
            if (relative.Split(Path.DirectorySeparatorChar).Contains("node_modules", StringComparer.Ordinal))
                continue;
            var copy = Path.Combine(target, relative);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
    }

    /// <summary>A name for a copy: it changes whenever any file of the package does.</summary>
    public static string VersionOf(string name)
    {
        var source = SourceOf(name);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(Path.GetRelativePath(source, file)));
            hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    /// <summary>Runs <c>npm ci</c> in <paramref name="folder"/> unless it ran there to its end before.</summary>
    /// <exception cref="StartupException">npm is absent or failed.</exception>
    public static async Task NpmInstallAsync(string folder, Action<string> progress, CancellationToken cancellation)
    {
        var mark = Path.Combine(folder, InstalledMark);
        if (File.Exists(mark))
            return;
        var npm = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
        try
        {
            var (exitCode, output) = await ChildProcess.RunAsync(
                npm, ["ci", "--omit=dev", "--no-audit", "--no-fund"], cancellation, folder,
                line => Tell(line, progress));
            if (exitCode != 0)
                throw new StartupException($"npm ci failed in {folder} with code {exitCode}: {output.Trim()}");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new StartupException("npm was not found. Install Node.js 20 or later.", missing);
        }

        await File.WriteAllTextAsync(mark, "", cancellation);
    }

    // npm's warnings are about its own configuration; a failure shows all that it printed.
    private static void Tell(string line, Action<string> progress)
    {
        if (line.Length > 0 && !line.StartsWith("npm warn", StringComparison.Ordinal)
            && !line.StartsWith("npm notice", StringComparison.Ordinal))
        {
            progress($"npm: {line}");
        }
    }

    private static string SourceOf(string name)
    {
        var source = Path.Combine(AppContext.BaseDirectory, "devstack", name);
        return Directory.Exists(source)
            ? source
            : throw new StartupException($"The package devstack/{name} is missing beside the host ({source}).");
    }
}
