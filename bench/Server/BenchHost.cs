using Lumora.Api.Embedded;
using Lumora.Chain.Log;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lumora.Bench.Server;

/// <summary>
/// The whole host, as users run it, in this process and on a home of its own: its sequencer and publisher follow what is
/// appended.
/// </summary>
internal sealed class BenchHost : WebApplicationFactory<DatabaseModule>
{
    private static readonly TimeSpan CatchUpMax = TimeSpan.FromMinutes(30);

    private readonly string _connectionString;
    private readonly bool _chain;

    private readonly bool _keepsHome;

    private BenchHost(string connectionString, bool chain, string? home, bool keepsHome) =>
        (_connectionString, _chain, _keepsHome, Home) = (connectionString, chain, keepsHome, home ?? NewHome());

    /// <summary>Its folder.</summary>
    public string Home { get; }

    /// <summary>The shard that holds the ledger.</summary>
    public string Shard => Sessions.ShardOf(ShardRole.Global);

    /// <summary>The ledger.</summary>
    public ILedger Ledger => Services.GetRequiredService<ILedgers>().For(ShardRole.Global);

    /// <summary>The event store.</summary>
    public ShardSessions Sessions => Services.GetRequiredService<ShardSessions>();

    /// <summary>The logs.</summary>
    public ShardLogs Logs => Services.GetRequiredService<ShardLogs>();

    /// <summary>
    /// Starts a host on the database of <paramref name="connectionString"/>, with a local Solana when <paramref name="chain"/> says
    /// so, on <paramref name="home"/> where one is given, which it deletes at its end unless it <paramref name="keepsHome"/>; it listens on
    /// loopback.
    /// </summary>
    public static BenchHost Start(string connectionString, bool chain = false, string? home = null, bool keepsHome = false)
    {
        // The settings lie beside the bench; the factory would look for a solution above it.
        Environment.SetEnvironmentVariable("ASPNETCORE_TEST_CONTENTROOT_LUMORA_API", AppContext.BaseDirectory);
        var host = new BenchHost(connectionString, chain, home, keepsHome);
        host.UseKestrel(port: 0);
        host.StartServer();
        return host;
    }

    /// <summary>A name for a folder that does not exist.</summary>
    public static string NewHome() => Path.Combine(Path.GetTempPath(), $"lumora-bench-home-{Guid.NewGuid():N}");

    /// <summary>Waits for a published checkpoint of all events that are stored now; answers its size.</summary>
    public async Task<long> CatchUpAsync(CancellationToken ct)
    {
        await using var command = Sessions.DataSource(ShardRole.Global).CreateCommand("select count(*) from mt_events");
        var events = (long)(await command.ExecuteScalarAsync(ct))!;
        return (await Logs.WaitForLargerAsync(Shard, events - 1, ct).WaitAsync(CatchUpMax, ct)).Checkpoint.Size;
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (!_keepsHome && Directory.Exists(Home))
            Directory.Delete(Home, recursive: true);
    }

    /// <inheritdoc/>
    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment("Development");
        builder.UseSetting("ConnectionStrings:Lumora", _connectionString);
        builder.UseSetting("Lumora:Home", Home);
        builder.UseSetting("Solana:Embedded", _chain ? "true" : "false");
        builder.UseSetting("Logging:LogLevel:Default", nameof(LogLevel.Warning));
    }
}
