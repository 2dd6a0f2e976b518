using System.Runtime.InteropServices;
using Lumora.Api.Operations;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Npgsql;

namespace Lumora.Api.Embedded;

/// <summary>
/// The host's database: the configured one (<c>ConnectionStrings:Lumora</c>), or an embedded PostgreSQL that lives as
/// long as this object.
/// </summary>
internal sealed class DatabaseModule : IAsyncDisposable
{
    private readonly EmbeddedPostgres? _embedded;

    private DatabaseModule(ShardMap shards, EmbeddedPostgres? embedded) => (Shards, _embedded) = (shards, embedded);

    /// <summary>The shards of this installation.</summary>
    public ShardMap Shards { get; }

    /// <summary>Starts what is needed; Ctrl-C and SIGTERM end the wait.</summary>
    public static async Task<DatabaseModule> StartAsync(WebApplicationBuilder builder)
    {
        var configured = builder.Configuration.GetConnectionString("Lumora");
        if (!string.IsNullOrWhiteSpace(configured))
        {
            var shards = RegionSettings.Read(builder.Configuration, configured);
            foreach (var (shard, connection) in shards.ConnectionStrings)
                await AssertReachableAsync(shard, connection);
            return new DatabaseModule(shards, embedded: null);
        }

        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        var home = LumoraHome.From(builder.Configuration);
        var embedded = await EmbeddedPostgres.StartAsync(home, Console.WriteLine, stop.Token);
        builder.Services.AddSingleton(embedded).AddHostedService<PostgresWatch>();
        return new DatabaseModule(RegionSettings.Read(builder.Configuration, embedded.ConnectionString), embedded);

        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    private static async Task AssertReachableAsync(string shard, string connectionString)
    {
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync();
        }
        catch (Exception fault) when (fault is NpgsqlException or ArgumentException)
        {
            throw new StartupException(
                $"The PostgreSQL of {RegionSettings.KeyOf(shard)} does not answer: {fault.Message} "
                + "Correct the setting, or leave it out to run an embedded PostgreSQL.", fault);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Shards.DisposeAsync();
        if (_embedded is not null)
            await _embedded.DisposeAsync();
    }
}
