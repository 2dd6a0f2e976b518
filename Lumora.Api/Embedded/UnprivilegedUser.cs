using Lumora.Api.Operations;

namespace Lumora.Api.Embedded;

/// <summary>
/// PostgreSQL refuses to run as root. When the host does, its database runs as another user, in a folder that this
/// user can reach: the home folder of root itself is closed to others.
/// </summary>
internal sealed record UnprivilegedUser(string Name)
{
    /// <summary>The user to run PostgreSQL as, or null when the host itself is unprivileged.</summary>
    /// <exception cref="StartupException">The host is root and the machine has no way to change user.</exception>
    public static UnprivilegedUser? ForThisProcess()
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
            return null;
        if (!File.Exists("/usr/bin/setpriv"))
        {
            throw new StartupException(
                "The host runs as root and PostgreSQL refuses to. Run the host as another user, install setpriv "
                + "(util-linux), or set ConnectionStrings:Lumora to a running PostgreSQL.");
        }

        var users = File.ReadLines("/etc/passwd").Select(line => line.Split(':')[0]).ToHashSet(StringComparer.Ordinal);
        return new UnprivilegedUser(users.Contains("postgres") ? "postgres" : "nobody");
    }

    /// <summary>The words that run <paramref name="program"/> as this user.</summary>
    public (string Program, IReadOnlyList<string> Arguments) Wrap(string program, IReadOnlyList<string> arguments) =>
        ("/usr/bin/setpriv",
            [$"--reuid={Name}", $"--regid={GroupOf(Name)}", "--clear-groups", "--", program, .. arguments]);

    /// <summary>Gives <paramref name="folder"/> to this user.</summary>
    public async Task OwnAsync(string folder, CancellationToken cancellation)
    {
        var (exitCode, output) = await ChildProcess.RunAsync("chown", ["-R", Name, folder], cancellation);
        if (exitCode != 0)
            throw new StartupException($"{folder} could not be given to the user {Name}: {output}");
    }

    /// <summary>True when every folder above <paramref name="path"/> lets other users pass.</summary>
    public static bool CanReach(string path)
    {
        for (var folder = Path.GetDirectoryName(path); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Directory.Exists(folder) && !OperatingSystem.IsWindows()
                && (File.GetUnixFileMode(folder) & UnixFileMode.OtherExecute) == UnixFileMode.None)
            {
                return false;
            }
        }

        return true;
    }

    private static string GroupOf(string user) =>
        File.ReadLines("/etc/passwd").Select(line => line.Split(':')).First(fields => fields[0] == user)[3];
}
