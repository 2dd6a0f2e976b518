using Lumora.Api.Embedded;
using Lumora.Projections.Hosting;
using Npgsql;

namespace Lumora.Integration.Tests.Operations;

/// <summary>The server that a host starts where none is configured.</summary>
public sealed class EmbeddedPostgresSpecs
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Its own view of the setting lists LZ4 only where it was built with it.</summary>
    [Fact]
    public async Task Whole_pages_are_compressed_by_LZ4_where_the_server_knows_it_and_never_by_its_own_slow_method()
    {
        var home = Path.Combine(Path.GetTempPath(), $"lumora-embedded-{Guid.NewGuid():N}");
        try
        {
            await using var server = await EmbeddedPostgres.StartAsync(new LumoraHome(home), _ => { }, Ct);
            await using var database = NpgsqlDataSource.Create(server.ConnectionString);
            await using var command = database.CreateCommand(
                "select setting, case when 'lz4' = any (enumvals) then 'lz4' else 'off' end from pg_settings where name = 'wal_compression'");
            await using var reader = await command.ExecuteReaderAsync(Ct);
            Assert.True(await reader.ReadAsync(Ct));
            Assert.Equal(reader.GetString(1), reader.GetString(0));
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }
}
