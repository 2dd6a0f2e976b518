using System.Globalization;
using System.Runtime.InteropServices;

namespace Lumora.Api.Embedded;

/// <summary>A folder with <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c> of one major version.</summary>
/// <param name="Folder">Absolute path of the <c>bin</c> folder.</param>
/// <param name="Major">15 or later.</param>
internal sealed record PostgresBinaries(string Folder, int Major)
{
    /// <summary>The oldest PostgreSQL that Lumora runs on.</summary>
    public const int MajorMin = 15;

    private static readonly string Suffix = OperatingSystem.IsWindows() ? ".exe" : "";

    /// <summary>The path of <paramref name="program"/>.</summary>
    public string Program(string program) => Path.Combine(Folder, program + Suffix);

    /// <summary>
    /// Binaries installed on this machine, newest first: those on the PATH and in the distributions' folders.
    /// </summary>
    public static async Task<IReadOnlyList<PostgresBinaries>> InstalledAsync(CancellationToken cancellation)
    {
        var found = new Dictionary<string, PostgresBinaries>(StringComparer.Ordinal);
        foreach (var folder in CandidateFolders())
        {
            if (await AtAsync(folder, cancellation) is { } binaries && binaries.Major >= MajorMin)
                found.TryAdd(binaries.Folder, binaries);
        }

        return [.. found.Values.OrderByDescending(binaries => binaries.Major)];
    }

    /// <summary>The binaries in <paramref name="folder"/>, or null when it holds none that run.</summary>
    public static async Task<PostgresBinaries?> AtAsync(string folder, CancellationToken cancellation)
    {
        var postgres = Path.Combine(folder, "postgres" + Suffix);
        if (!File.Exists(postgres) || !File.Exists(Path.Combine(folder, "initdb" + Suffix)))
            return null;
        // A distribution may link the programs into the PATH one by one: their own folder holds the rest.
        if (File.ResolveLinkTarget(postgres, returnFinalTarget: true) is { } target)
            folder = Path.GetDirectoryName(target.FullName)!;
        var (exitCode, output) = await ChildProcess.RunAsync(
            Path.Combine(folder, "postgres" + Suffix), ["--version"], cancellation);
        // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
        var version = output.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(2)?.Split('.')[0];
        return exitCode == 0 && int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            ? new PostgresBinaries(folder, major)
            : null;
    }

    /// <summary>The npm package that carries binaries for this machine, for example <c>linux-x64</c>.</summary>
    public static string NpmPlatform()
    {
        var system = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux";
        var processor = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        return $"{system}-{processor}";
    }

    private static IEnumerable<string> CandidateFolders()
    {
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            if (folder.Length > 0)
                yield return folder;
        }

        string[] roots = OperatingSystem.IsWindows()
            ? [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "PostgreSQL")]
            : ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"];
        foreach (var root in roots.Where(Directory.Exists))
        {
            foreach (var folder in Directory.EnumerateDirectories(root))
                yield return Path.Combine(folder, "bin");
        }
    }
}
