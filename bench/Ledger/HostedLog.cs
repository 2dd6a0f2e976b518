using System.Diagnostics;
using Lumora.Api.Embedded;
using Lumora.Bench.Measuring;
using Lumora.Bench.Reports;
using Lumora.Bench.Server;
using Lumora.Chain.Log;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lumora.Bench.Ledger;

/// <summary>
/// Ledger and log together: the whole host, as users run it, in this process; its sequencer and publisher follow the journal
/// while the ledger is loaded, and the clock runs until the published checkpoint holds every event.
/// </summary>
internal sealed class HostedLog : WebApplicationFactory<DatabaseModule>
{
    private static readonly TimeSpan CatchUpMax = TimeSpan.FromMinutes(5);

    private readonly string _connectionString;
    private readonly string _home = Path.Combine(Path.GetTempPath(), $"lumora-bench-home-{Guid.NewGuid():N}");

    private HostedLog(string connectionString) => _connectionString = connectionString;

    private ShardSessions Sessions => Services.GetRequiredService<ShardSessions>();

    private string Shard => Sessions.ShardOf(ShardRole.Global);

    /// <summary>Measures the row.</summary>
    public static async Task<BenchRow> MeasureAsync(
        BenchServer server, ServerMeter meter, LedgerBenchOptions options, int callers, CancellationToken ct)
    {
        // The settings lie beside the bench; the factory would look for a solution above it.
        Environment.SetEnvironmentVariable("ASPNETCORE_TEST_CONTENTROOT_LUMORA_API", AppContext.BaseDirectory);
        await using var host = new HostedLog(await server.CreateDatabaseAsync("lumora-log", ct));
        host.UseKestrel(port: 0);
        host.StartServer();
        var ledger = host.Services.GetRequiredService<ILedgers>().For(ShardRole.Global);
        var books = new LedgerLoad(ledger, host.Sessions.DataSource(ShardRole.Global), host.Shard, options.Keys);
        await books.FundAsync(options.Accounts, ct);
        var uniform = Workload.Uniform(options.Accounts);
        var warmUp = Load.StartClosed([.. Enumerable.Range(0, callers).Select(i => books.OpenCaller(uniform, i))], ct);
        await warmUp.WaitAsync(options.Plan.LogWarmUp, ct);
        await warmUp.StopAsync();
        await host.CatchUpAsync(ct);
        await server.AnalyzeAsync(ct);
        await server.CheckpointAsync(ct);

        var before = await meter.ReadAsync(ct);
        var load = Load.StartClosed([.. Enumerable.Range(0, callers).Select(i => books.OpenCaller(uniform, i))], ct);
        var latencies = load.OpenWindow();
        await load.WaitAsync(options.Plan.LogWindow, ct);
        await load.StopAsync();
        var loaded = Stopwatch.GetTimestamp();
        await host.CatchUpAsync(ct);
        var after = await meter.ReadAsync(ct);
        await books.VerifyAsync(ct);

        var row = await new RowMeter(server, meter).RowAsync(
            new BenchRow("lumora", "uniform+log", callers) { Transfers = load.Transfers }, latencies, before, after, ct);
        return row with { CatchUpSeconds = Stopwatch.GetElapsedTime(loaded, after.At).TotalSeconds };
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (Directory.Exists(_home))
            Directory.Delete(_home, recursive: true);
    }

    /// <inheritdoc/>
    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment("Development");
        builder.UseSetting("ConnectionStrings:Lumora", _connectionString);
        builder.UseSetting("Lumora:Home", _home);
        builder.UseSetting("Solana:Embedded", "false");
        builder.UseSetting("Logging:LogLevel:Default", nameof(LogLevel.Warning));
    }

    private async Task CatchUpAsync(CancellationToken ct)
    {
        await using var command = Sessions.DataSource(ShardRole.Global).CreateCommand("select count(*) from mt_events");
        var events = (long)(await command.ExecuteScalarAsync(ct))!;
        await Services.GetRequiredService<ShardLogs>().WaitForLargerAsync(Shard, events - 1, ct).WaitAsync(CatchUpMax, ct);
    }
}
