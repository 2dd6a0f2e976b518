using System.Diagnostics;
using Lumora.Api.Embedded;
using Lumora.Api.Operations;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Hosting;
using Npgsql;

namespace Lumora.Resilience.Tests.Infrastructure;

/// <summary>A PostgreSQL apart from the host, backed up, lost and restored with the commands of docs/backup.md.</summary>
internal sealed class BackedUpDatabase : IAsyncDisposable
{
    private const string Receiver = "lumora_backup";

    private readonly HomeFolder _home = new();
    private readonly string _backup = Directory.CreateTempSubdirectory("lumora-backup-").FullName;
    private readonly PostgresBinaries _binaries;
    private EmbeddedPostgres? _server;
    private Process? _receiver;

    private BackedUpDatabase(PostgresBinaries binaries) => _binaries = binaries;

    /// <summary>Reaches it; another one after each start.</summary>
    public string ConnectionString => _server!.ConnectionString;

    private string Server => Path.Combine(_home.Path, "postgres");

    /// <summary>Starts a new one; the test is skipped where PostgreSQL's backup programs are missing.</summary>
    public static async Task<BackedUpDatabase> StartAsync(CancellationToken ct)
    {
        var binaries = await PostgresBinaries.InstalledAsync(ct);
        Assert.SkipUnless(
            binaries.Count > 0 && File.Exists(binaries[0].Program("pg_basebackup")), "no pg_basebackup beside the installed PostgreSQL");
        var database = new BackedUpDatabase(binaries[0]);
        await database.StartServerAsync(ct);
        return database;
    }

    /// <summary>
    /// A base backup, and from now on every commit in a second place before the host hears of it.
    /// </summary>
    public async Task BackUpAsync(CancellationToken ct)
    {
        var wal = Directory.CreateDirectory(Path.Combine(_backup, "wal")).FullName;
        await RunAsync("pg_receivewal", ["-d", Address(), "-D", wal, "--slot", Receiver, "--create-slot"], ct);
        _receiver = Start("pg_receivewal", ["-d", Address(), "-D", wal, "--slot", Receiver, "--synchronous", "--no-loop"]);
        await ExecuteAsync($"alter system set synchronous_standby_names = '{Receiver}'", ct);
        await ExecuteAsync("select pg_reload_conf()", ct);
        await RunAsync("pg_basebackup", ["-d", Address(), "-D", Path.Combine(_backup, "base"), "-X", "stream", "-c", "fast"], ct);
    }

    /// <summary>The machine of the database is gone; what was backed up is elsewhere.</summary>
    public async Task LoseAsync(CancellationToken ct)
    {
        await _home.KillDatabaseAsync();
        // The server is gone, so its receiver ends.
        await _receiver!.WaitForExitAsync(ct);
        await StopServerAsync();
        Directory.Delete(Path.Combine(Server, "data"), recursive: true);
    }

    /// <summary>Restores the base backup; <paramref name="withAllCommits"/>: and what was committed since then.</summary>
    public async Task RestoreAsync(bool withAllCommits, CancellationToken ct)
    {
        await StopServerAsync();
        var data = Path.Combine(Server, "data");
        if (Directory.Exists(data))
            Directory.Delete(data, recursive: true);
        await CopyAsync(Path.Combine(_backup, "base"), data, ct);
        var settings = "synchronous_standby_names = ''\n";
        if (withAllCommits)
        {
            var wal = Path.Combine(Server, "wal");
            await CopyAsync(Path.Combine(_backup, "wal"), wal, ct);
            // The last segment was still being written.
            foreach (var partial in Directory.EnumerateFiles(wal, "*.partial"))
                File.Move(partial, Path.ChangeExtension(partial, null));
            settings += $"restore_command = 'cp \"{wal}/%f\" \"%p\"'\n";
            await File.WriteAllTextAsync(Path.Combine(data, "recovery.signal"), "", ct);
        }

        await File.AppendAllTextAsync(Path.Combine(data, "postgresql.auto.conf"), settings, ct);
        await StartServerAsync(ct);
        // Until it has taken up all commits, it only reads.
        await Patience.UntilAsync(async () => await ExecuteAsync("select pg_is_in_recovery()", ct) is false);
    }

    /// <summary>Dumps it with <c>pg_dump</c>; the host may be running.</summary>
    public Task DumpAsync(string name, CancellationToken ct) =>
        RunAsync("pg_dump", ["-d", Address(database: true), "-Fc", "-f", Path.Combine(_backup, name)], ct);

    /// <summary>A new server takes the place of this one and takes up that dump.</summary>
    public async Task MoveAsync(string name, CancellationToken ct)
    {
        await StopServerAsync();
        Directory.Delete(Path.Combine(Server, "data"), recursive: true);
        await StartServerAsync(ct);
        await RunAsync("pg_restore", ["-d", Address(database: true), "--exit-on-error", Path.Combine(_backup, name)], ct);
    }

    public async ValueTask DisposeAsync()
    {
        await StopServerAsync();
        if (_receiver is { } receiver)
        {
            if (!receiver.HasExited)
                receiver.Kill();
            receiver.Dispose();
        }

        await _home.DisposeAsync();
        Directory.Delete(_backup, recursive: true);
    }

    private async Task StartServerAsync(CancellationToken ct) =>
        _server = await EmbeddedPostgres.StartAsync(new LumoraHome(_home.Path), _ => { }, ct);

    private async Task StopServerAsync()
    {
        var server = _server;
        _server = null;
        try
        {
            if (server is not null)
                await server.DisposeAsync();
        }
        catch (StartupException)
        {
            // It was killed before.
        }
    }

    private string Address(bool database = false)
    {
        var server = new NpgsqlConnectionStringBuilder(ConnectionString);
        return $"host={server.Host} port={server.Port} user={server.Username} password={server.Password} application_name={Receiver}"
            + (database ? $" dbname={server.Database}" : "");
    }

    private Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(_binaries.Program(program)) { UseShellExecute = false, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private async Task RunAsync(string program, IEnumerable<string> arguments, CancellationToken ct)
    {
        using var process = Start(program, arguments);
        var said = await process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        Assert.True(process.ExitCode == 0, $"{program}: {said}");
    }

    private static async Task CopyAsync(string from, string to, CancellationToken ct)
    {
        using var copy = Process.Start("cp", ["-a", from, to]);
        await copy.WaitForExitAsync(ct);
        Assert.Equal(0, copy.ExitCode);
    }

    private async Task<object?> ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(ct);
    }
}
