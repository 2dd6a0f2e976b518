using System.Diagnostics;
using Lumora.Bench.Measuring;
using Lumora.Bench.Reports;
using Lumora.Bench.Server;
using Lumora.Projections.EventStore;

namespace Lumora.Bench.Ledger;

/// <summary>
/// The row of ledger and log together: the ledger of a whole host is loaded, its log follows, and the clock runs until the
/// published checkpoint holds every event.
/// </summary>
internal static class LedgerWithLog
{
    /// <summary>Measures the row.</summary>
    public static async Task<BenchRow> MeasureAsync(
        BenchServer server, ServerMeter meter, LedgerBenchOptions options, int callers, CancellationToken ct)
    {
        await using var host = BenchHost.Start(await server.CreateDatabaseAsync("lumora-log", ct));
        var books = new LedgerLoad(host.Ledger, host.Sessions.DataSource(ShardRole.Global), host.Shard, options.Keys);
        await books.FundAsync(options.Accounts, ct);
        var warmUp = Start();
        await WarmCode.WaitAsync(warmUp, options.Plan.LogWarmUp, options.Plan.LogWarmUpMax, ct);
        await warmUp.StopAsync();
        await host.CatchUpAsync(ct);
        await server.AnalyzeAsync(ct);
        await server.CheckpointAsync(ct);

        var before = await meter.ReadAsync(ct);
        var load = Start();
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

        Load Start() => Load.StartClosed(
            [.. Enumerable.Range(0, callers).Select(i => books.OpenCaller(Workload.Uniform(options.Accounts), i))], ct);
    }
}
