using System.Runtime.InteropServices;
using Lumora.Api.Embedded;
using Lumora.Projections.Hosting;
using Npgsql;

namespace Lumora.Bench.Server;

/// <summary>
/// The one PostgreSQL server of a run: a given one, or an embedded one in a folder of its own. Every subject gets a
/// fresh database on it, all of which go at the end.
/// </summary>
internal sealed class BenchServer : IAsyncDisposable
{
    private static readonly TimeSpan s_settling = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    private readonly string _connectionString;
    private readonly EmbeddedPostgres? _embedded;
    private readonly List<string> _databases = [];
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];

    private BenchServer(string connectionString, EmbeddedPostgres? embedded, string? folder)
    {
        (_connectionString, _embedded, Folder) = (connectionString, embedded, folder);
        Admin = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 4 });
    }

    /// <summary>Connections of the bench itself, beside those of the subjects.</summary>
    public NpgsqlDataSource Admin { get; }

    /// <summary>The folder that holds the embedded server's data; null for a given server.</summary>
    public string? Folder { get; }

    /// <summary>Starts a server, or connects to the one of <paramref name="connectionString"/>.</summary>
    public static async Task<BenchServer> StartAsync(string? connectionString, Action<string> say, CancellationToken ct)
    {
        if (connectionString is not null)
            return new BenchServer(connectionString, embedded: null, folder: null);
        var folder = Path.Combine(Path.GetTempPath(), $"lumora-bench-{Guid.NewGuid():N}");
        var embedded = await EmbeddedPostgres.StartAsync(new LumoraHome(folder), say, ct);
        return new BenchServer(embedded.ConnectionString, embedded, folder);
    }

    /// <summary>
    /// Refuses a server that does not make each commit durable, and says what the numbers of this run depend on.
    /// </summary>
    /// <exception cref="BenchException">A setting makes commits cheaper than they are.</exception>
    public async Task<string> DescribeAsync(CancellationToken ct)
    {
        foreach (var setting in (string[])["fsync", "synchronous_commit", "full_page_writes"])
        {
            if (await ShowAsync(setting, ct) is not "on" and var value)
                throw new BenchException($"The server runs with {setting}={value}: nothing measured on it would mean anything.");
        }

        var settings = new List<string>();
        foreach (var setting in (string[])["wal_sync_method", "wal_compression", "shared_buffers", "max_wal_size", "data_checksums"])
            settings.Add($"{setting}={await ShowAsync(setting, ct)}");
        return $"""
            PostgreSQL {await ShowAsync("server_version", ct)}, {(_embedded is null ? "given" : "embedded")}, fsync=on, synchronous_commit=on, full_page_writes=on,
            {string.Join(", ", settings)}
            client: {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}
            """;
    }

    /// <summary>A fresh, empty database; <paramref name="subject"/> becomes part of its name.</summary>
    public async Task<string> CreateDatabaseAsync(string subject, CancellationToken ct)
    {
        var name = $"bench_{_run}_{subject.Replace('-', '_')}";
        await ExecuteAsync($"create database \"{name}\"", ct);
        _databases.Add(name);
        return new NpgsqlConnectionStringBuilder(_connectionString) { Database = name }.ConnectionString;
    }

    /// <summary>
    /// The same, with connections that close when their caller goes: those of all subjects together are too many.
    /// </summary>
    public async Task<NpgsqlDataSource> CreateSourceAsync(string subject, CancellationToken ct) =>
        NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(await CreateDatabaseAsync(subject, ct)) { Pooling = false });

    /// <summary>Writes a checkpoint, so that each row pays for its own first touch of every page.</summary>
    public Task CheckpointAsync(CancellationToken ct) => ExecuteAsync("checkpoint", ct);

    /// <summary>Waits until no table is vacuumed that earlier rows have filled, for a minute at most.</summary>
    public async Task SettleAsync(CancellationToken ct)
    {
        for (var waited = TimeSpan.Zero; waited < s_settling; waited += s_pause)
        {
            await using var command = Admin.CreateCommand("select exists (select from pg_stat_activity where backend_type = 'autovacuum worker')");
            if (!(bool)(await command.ExecuteScalarAsync(ct))!)
                return;
            await Task.Delay(s_pause, ct);
        }
    }

    /// <summary>
    /// Gathers statistics of all databases, as the server does by itself within its first minutes: without them the plans
    /// are those of empty tables.
    /// </summary>
    public Task AnalyzeAsync(CancellationToken ct) => OnEachAsync("analyze", ct);

    /// <summary>The same, and what autovacuum would do within the next minutes.</summary>
    public Task VacuumAsync(CancellationToken ct) => OnEachAsync("vacuum (analyze)", ct);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_embedded is null)
        {
            foreach (var database in _databases)
                await ExecuteAsync($"drop database if exists \"{database}\" with (force)", CancellationToken.None);
        }

        await Admin.DisposeAsync();
        if (_embedded is null)
            return;
        await _embedded.DisposeAsync();
        Directory.Delete(Folder!, recursive: true);
    }

    private async Task OnEachAsync(string statement, CancellationToken ct)
    {
        foreach (var database in _databases)
        {
            await using var source = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(_connectionString) { Database = database, Pooling = false });
            await using var command = source.CreateCommand(statement);
            command.CommandTimeout = 300;
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    private async Task<string> ShowAsync(string setting, CancellationToken ct)
    {
        await using var command = Admin.CreateCommand($"show {setting}");
        return (string)(await command.ExecuteScalarAsync(ct))!;
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = Admin.CreateCommand(sql);
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync(ct);
    }
}
