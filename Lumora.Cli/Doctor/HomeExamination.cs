using System.Globalization;
using Lumora.Cli.Reports;
using Lumora.Projections.Hosting;

namespace Lumora.Cli.Doctor;

/// <summary>Looks at the home folder on this machine: is it there, is it writable, and who may read its keys.</summary>
internal static class HomeExamination
{
    private const string Area = "configuration";
    private const long FreeBytesMin = 1L << 30;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Examines <paramref name="given"/>, or the home that the environment or the system names.</summary>
    public static IEnumerable<Diagnosis> Examine(string? given)
    {
        var home = given ?? Environment.GetEnvironmentVariable("LUMORA_HOME");
        home = Path.GetFullPath(string.IsNullOrWhiteSpace(home) ? Default() : home);
        if (!Directory.Exists(home))
        {
            yield return given is null
                ? new Diagnosis(Area, Health.Warn, $"there is no home at {home}", "on the host's machine give --home, or start the host once")
                : new Diagnosis(Area, Health.Fail, $"there is no home at {home}", "give the folder that Lumora:Home or LUMORA_HOME names");
            yield break;
        }

        yield return new Diagnosis(Area, Health.Ok, $"home is {home}");
        yield return Space(home);
        var keys = Path.Combine(home, "keys");
        if (!Directory.Exists(keys))
        {
            yield return new Diagnosis(Area, Health.Warn, $"{keys} does not exist: the host has not been started with this home", "start the host once");
            yield break;
        }

        var files = Directory.EnumerateFiles(keys, "*", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(home, "installation-id"))
            .Order(StringComparer.Ordinal)
            .ToList();
        var open = files.Where(IsOpenToOthers).ToList();
        foreach (var file in open)
            yield return new Diagnosis(Area, Health.Fail, $"{file} may be read by others than its owner", $"chmod 600 {file}");
        if (open.Count == 0)
            yield return new Diagnosis(
                Area, Health.Ok, string.Create(CultureInfo.InvariantCulture, $"{files.Count} key files, all for their owner alone"));
    }

    private static string Default()
    {
        try
        {
            return LumoraHome.DefaultPath();
        }
        catch (InvalidOperationException exception)
        {
            throw new UnableException($"{exception.Message} Or give --home.", exception);
        }
    }

    private static bool IsOpenToOthers(string file) =>
        !OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & ~OwnerOnly) != UnixFileMode.None;

    private static Diagnosis Space(string home)
    {
        var free = new DriveInfo(home).AvailableFreeSpace;
        var text = string.Create(CultureInfo.InvariantCulture, $"{free / (double)FreeBytesMin:0.0} GiB free for {home}");
        return free >= FreeBytesMin
            ? new Diagnosis(Area, Health.Ok, text)
            : new Diagnosis(Area, Health.Warn, text, "make room: PostgreSQL stops when the disk is full");
    }
}
