using Lumora.Api.Embedded;
using Lumora.Projections.Hosting;
using Npgsql;

[assembly: AssemblyFixture(typeof(Lumora.Integration.Tests.Infrastructure.TestDatabases))]

namespace Lumora.Integration.Tests.Infrastructure;

/// <summary>
/// One real PostgreSQL for the whole run: the one that <c>LUMORA_TEST_POSTGRES</c> names, else an embedded one. Each
/// test class gets a database of its own, copied from a template in which the host has laid out its schema once.
/// </summary>
public sealed class TestDatabases : IAsyncLifetime
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private readonly List<string> _made = [];
    private string _server = "";
    private EmbeddedPostgres? _embedded;
    private string? _template;
    private int _count;

    public async ValueTask InitializeAsync()
    {
        var given = Environment.GetEnvironmentVariable("LUMORA_TEST_POSTGRES");
        if (!string.IsNullOrEmpty(given))
        {
            _server = given;
            return;
        }

        var home = new LumoraHome(Path.Combine(Path.GetTempPath(), $"lumora-tests-{_run}"));
        _embedded = await EmbeddedPostgres.StartAsync(home, _ => { }, CancellationToken.None);
        _server = _embedded.ConnectionString;
        // Hosts and servers die in these tests, the machine does not: whatever was written is there, also when no disk was waited for.
        // Lumora.Resilience.Tests leaves it to the hosts' own servers.
        await ExecuteAsync("alter system set fsync = off");
        await ExecuteAsync("select pg_reload_conf()");
    }

    /// <summary>A fresh database with the host's schema; dropped at the end of the run.</summary>
    public async Task<string> CreateAsync()
    {
        await _turn.WaitAsync();
        try
        {
            _template ??= await MakeTemplateAsync();
            return await CreateDatabaseAsync($"template \"{_template}\"");
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>A fresh database with nothing in it.</summary>
    public Task<string> CreateEmptyAsync() => CreateDatabaseAsync("");

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_embedded is not null)
        {
            var folder = Path.Combine(Path.GetTempPath(), $"lumora-tests-{_run}");
            await _embedded.DisposeAsync();
            Directory.Delete(folder, recursive: true);
            return;
        }

        foreach (var database in _made)
            await ExecuteAsync($"drop database if exists \"{database}\" with (force)");
    }

    private async Task<string> MakeTemplateAsync()
    {
        var connection = await CreateDatabaseAsync("");
        var home = Path.Combine(Path.GetTempPath(), $"lumora-template-{_run}");
        await using (var app = new LumoraApp(connection, home))
            await app.StartAsync();
        NpgsqlConnection.ClearAllPools();
        var name = new NpgsqlConnectionStringBuilder(connection).Database!;
        // A database in use is no template, and Marten's listener outlives its host by a moment.
        await ExecuteAsync($"alter database \"{name}\" allow_connections false");
        await ExecuteAsync($"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}'");
        return name;
    }

    private async Task<string> CreateDatabaseAsync(string clause)
    {
        var name = $"lumora_test_{_run}_{Interlocked.Increment(ref _count)}";
        await ExecuteAsync($"create database \"{name}\" {clause}");
        lock (_made)
            _made.Add(name);
        return new NpgsqlConnectionStringBuilder(_server) { Database = name, MaxPoolSize = 20 }.ConnectionString;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_server) { Pooling = false, Database = "postgres" }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
