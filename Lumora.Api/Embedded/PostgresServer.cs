using System.Globalization;
using System.Text;

namespace Lumora.Api.Embedded;

/// <summary>One data folder and the programs that make, start and stop its server.</summary>
internal sealed class PostgresServer(PostgresBinaries binaries, UnprivilegedUser? user, string data)
{
    private const int StartSecondsMax = 120;

    private string LogFile => Path.Combine(Path.GetDirectoryName(data)!, "server.log");

    /// <summary>Makes the data folder: under another name first, so that a crash in between leaves no half of it.</summary>
    public async Task InitialiseAsync(string superUser, string password, CancellationToken cancellation)
    {
        var draft = data + ".new";
        if (Directory.Exists(draft))
            Directory.Delete(draft, recursive: true);
        var passwordFile = data + ".password";
        await File.WriteAllTextAsync(passwordFile, password, cancellation);
        try
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(passwordFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (user is not null)
                await user.OwnAsync(passwordFile, cancellation);
            await RunAsync("initdb", cancellation,
                "--pgdata", draft, "--username", superUser, "--pwfile", passwordFile, "--auth", "scram-sha-256",
                "--encoding", "UTF8", "--locale", "C", "--data-checksums");
        }
        finally
        {
            File.Delete(passwordFile);
        }

        Directory.Move(draft, data);
    }

    /// <summary>The port of the server that runs on this folder, or null when none does.</summary>
    public async Task<int?> RunningPortAsync(CancellationToken cancellation)
    {
        var (exitCode, _) = await TryRunAsync("pg_ctl", cancellation, "status", "--pgdata", data);
        if (exitCode != 0)
            return null;
        // The fourth line of postmaster.pid is the port.
        var lines = await File.ReadAllLinesAsync(Path.Combine(data, "postmaster.pid"), cancellation);
        return lines.Length > 3 && int.TryParse(lines[3], CultureInfo.InvariantCulture, out var port) ? port : null;
    }

    /// <summary>Starts the server and waits until it answers. pg_ctl gives it a session of its own.</summary>
    public async Task StartAsync(int port, CancellationToken cancellation)
    {
        var settings = new StringBuilder();
        foreach (var (name, value) in Settings(port))
            settings.Append(CultureInfo.InvariantCulture, $" -c {name}={value}");
        await RunAsync("pg_ctl", cancellation,
            "start", "--pgdata", data, "--log", LogFile, "--wait",
            "--timeout", StartSecondsMax.ToString(CultureInfo.InvariantCulture), "--options", settings.ToString());
    }

    /// <summary>Stops the server: sessions are ended, a checkpoint is written.</summary>
    public Task StopAsync(CancellationToken cancellation) =>
        RunAsync("pg_ctl", cancellation, "stop", "--pgdata", data, "--mode", "fast", "--wait", "--timeout", "60");

    private static IEnumerable<(string Name, string Value)> Settings(int port)
    {
        yield return ("port", port.ToString(CultureInfo.InvariantCulture));
        yield return ("listen_addresses", "127.0.0.1");
        yield return ("unix_socket_directories", "''");
        yield return ("max_connections", "200");
        yield return ("shared_buffers", "256MB");
        yield return ("max_wal_size", "2GB");
        // A session that hangs inside a transaction would hold the log's high-water mark back for ever.
        yield return ("idle_in_transaction_session_timeout", "60000");
    }

    private async Task RunAsync(string program, CancellationToken cancellation, params string[] arguments)
    {
        var (exitCode, output) = await TryRunAsync(program, cancellation, arguments);
        if (exitCode != 0)
        {
            throw new InvalidOperationException(
                $"{program} failed with code {exitCode} on {data}: {output.Trim()}\nThe server's own log is {LogFile}.");
        }
    }

    private Task<(int ExitCode, string Output)> TryRunAsync(
        string program, CancellationToken cancellation, params string[] arguments)
    {
        var path = binaries.Program(program);
        if (user is null)
            return ChildProcess.RunAsync(path, arguments, cancellation);
        var (wrapper, wrapped) = user.Wrap(path, arguments);
        return ChildProcess.RunAsync(wrapper, wrapped, cancellation);
    }
}
