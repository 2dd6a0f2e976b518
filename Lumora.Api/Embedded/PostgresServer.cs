using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Lumora.Api.Operations;

namespace Lumora.Api.Embedded;

/// <summary>One data folder and the programs that make, start and stop its server.</summary>
internal sealed class PostgresServer(PostgresBinaries binaries, UnprivilegedUser? user, string data)
{
    private const int StartSecondsMax = 120;
    private const int RecoverySecondsMax = 30;

    /// <summary>False once the process of its <c>postmaster.pid</c> is dead, or there is no such file.</summary>
    public bool IsRunning
    {
        get
        {
            try
            {
                return File.ReadLines(PidFile).FirstOrDefault() is { } id && IsAlive(id);
            }
            catch (IOException)
            {
                return false;
            }
        }
    }

    private string PidFile => Path.Combine(data, "postmaster.pid");

    private string LogFile => Path.Combine(Path.GetDirectoryName(data)!, "server.log");

    /// <summary>
    /// Makes the data folder: under a name of its own first, so that a crash in between leaves no half of it, and
    /// neither does an initdb that outlived the host which started it.
    /// </summary>
    public async Task InitialiseAsync(string superUser, string password, CancellationToken cancellation)
    {
        DeleteDrafts();
        var draft = $"{data}.draft-{Guid.NewGuid():N}";
        var passwordFile = draft + ".password";
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

    /// <summary>
    /// The port of a server that answers on this folder: one that runs already, or one that is started. A server that
    /// was killed is given the time that its processes need to notice.
    /// </summary>
    /// <param name="freePort">Chooses the port of a new server.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<int> EnsureRunningAsync(Func<int> freePort, CancellationToken cancellation)
    {
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                var port = await RunningPortAsync(cancellation);
                if (port is null)
                {
                    port = freePort();
                    await StartAsync(port.Value, cancellation);
                }

                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port.Value, cancellation);
                return port.Value;
            }
            catch (Exception fault) when (
                fault is StartupException or SocketException && deadline.Elapsed.TotalSeconds < RecoverySecondsMax)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250), cancellation);
            }
        }
    }

    /// <summary>The port of the server that runs on this folder, or null when none does.</summary>
    private async Task<int?> RunningPortAsync(CancellationToken cancellation)
    {
        var (exitCode, _) = await TryRunAsync("pg_ctl", cancellation, "status", "--pgdata", data);
        if (exitCode != 0)
            return null;
        // postmaster.pid: the first line is the process, the fourth the port.
        var lines = await File.ReadAllLinesAsync(PidFile, cancellation);
        if (lines.Length < 4 || !int.TryParse(lines[3], CultureInfo.InvariantCulture, out var port))
            throw new StartupException($"The PostgreSQL of {data} is neither up nor down: see {PidFile}.");
        if (!IsZombie(lines[0]))
            return port;
        // Dead, but nobody has collected it: PostgreSQL would take its id for a running server.
        File.Delete(PidFile);
        return null;
    }

    /// <summary>Starts the server and waits until it answers. pg_ctl gives it a session of its own.</summary>
    private async Task StartAsync(int port, CancellationToken cancellation)
    {
        var settings = new StringBuilder();
        // Without LZ4 whole pages are logged as they are: PostgreSQL's own method takes 0.2 ms of the one writer for each.
        var compression = await TakesAsync("wal_compression", "lz4", cancellation) ? "lz4" : "off";
        foreach (var (name, value) in Settings(port).Append(("wal_compression", compression)))
            settings.Append(CultureInfo.InvariantCulture, $" -c {name}={value}");
        await RunAsync("pg_ctl", cancellation,
            "start", "--pgdata", data, "--log", LogFile, "--wait",
            "--timeout", StartSecondsMax.ToString(CultureInfo.InvariantCulture), "--options", settings.ToString());
    }

    /// <summary>True when this PostgreSQL was built for <paramref name="value"/> of <paramref name="setting"/>.</summary>
    private async Task<bool> TakesAsync(string setting, string value, CancellationToken cancellation)
    {
        var (exitCode, _) = await TryRunAsync("postgres", cancellation, "-D", data, "-C", setting, "-c", $"{setting}={value}");
        return exitCode == 0;
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
        // The first change of a page after a checkpoint logs all of it: checkpoints are rare.
        yield return ("max_wal_size", "4GB");
        yield return ("checkpoint_timeout", "15min");
        // A session that hangs inside a transaction would hold the log's high-water mark back for ever.
        yield return ("idle_in_transaction_session_timeout", "60000");
    }

    private static bool IsAlive(string processId)
    {
        try
        {
            using var process = Process.GetProcessById(int.Parse(processId, CultureInfo.InvariantCulture));
            return !IsZombie(processId);
        }
        catch (Exception none) when (none is ArgumentException or FormatException)
        {
            return false;
        }
    }

    private static bool IsZombie(string processId)
    {
        var stat = $"/proc/{processId.Trim()}/stat";
        // "1234 (postgres) Z …": the state follows the last parenthesis.
        return File.Exists(stat) && File.ReadAllText(stat) is { } line && line[(line.LastIndexOf(')') + 2)..].StartsWith('Z');
    }

    private void DeleteDrafts()
    {
        foreach (var draft in Directory.EnumerateDirectories(Path.GetDirectoryName(data)!, "data.draft-*"))
        {
            try
            {
                Directory.Delete(draft, recursive: true);
            }
            catch (IOException)
            {
                // An initdb that outlived its host still writes there; the next first start finds it again.
            }
        }
    }

    private async Task RunAsync(string program, CancellationToken cancellation, params string[] arguments)
    {
        var (exitCode, output) = await TryRunAsync(program, cancellation, arguments);
        if (exitCode != 0)
        {
            throw new StartupException(
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
