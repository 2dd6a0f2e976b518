using System.Diagnostics;
using System.Globalization;
using Lumora.Bench.Measuring;
using Lumora.Bench.Server;

namespace Lumora.Bench.Ledger;

/// <summary>
/// The ledger at a fixed rate for a long time: memory must not grow, latency must not creep, and at the end every row must
/// follow from the journal.
/// </summary>
internal sealed class LedgerSoak(LedgerBenchOptions options, TimeSpan time, double? perSecond, TextWriter output)
{
    private const double ShareOfTop = 0.8;
    private const int TopCallers = 4_096;
    private const double BytesPerMegabyte = 1_048_576;
    private const double BehindMaxSeconds = 20;
    // What a fresh and small database takes for some seconds, it does not take for minutes.
    private static readonly TimeSpan TopWarmUp = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan TopWindow = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Line = TimeSpan.FromSeconds(10);

    /// <summary>Runs; true when the ledger verifies at the end.</summary>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        await using var server = await BenchServer.StartAsync(options.Postgres, output.WriteLine, ct);
        output.WriteLine(await server.DescribeAsync(ct));
        output.WriteLine(await FsyncTimes.MeasureAsync(server, ct));
        await using var subject = await LumoraSubject.StartAsync(
            await server.CreateDatabaseAsync("lumora", ct), options.Accounts, options.Keys, ct);
        var uniform = Workload.Uniform(options.Accounts);
        var rate = perSecond ?? (ShareOfTop * await TopRateAsync(server, subject, uniform, ct));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"\n{rate:#,##0} transfers/s for {time.TotalMinutes:0.#} minutes"));
        output.WriteLine($"{"elapsed",9} {"transfers/s",12} {"p50 ms",9} {"p99 ms",9} {"managed MB",11} {"working set MB",15}");
        var meter = await ServerMeter.OpenAsync(server, ct);
        var before = await meter.ReadAsync(ct);
        var transfers = await LoadAsync(subject, uniform, rate, ct);
        var after = await meter.ReadAsync(ct);
        // The server writes its checkpoints when it wants to: what whole pages cost is what they cost in use.
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"WAL per transfer: {(after.WalBytes - before.WalBytes) / (double)transfers:#,##0} bytes, {(after.PageImages - before.PageImages) / (double)transfers:0.00} pages whole"));
        await subject.VerifyAsync(ct);
        return await VerifyAsync(subject, ct);
    }

    private async Task<double> TopRateAsync(BenchServer server, LumoraSubject subject, Workload workload, CancellationToken ct)
    {
        var meter = new RowMeter(server, await ServerMeter.OpenAsync(server, ct));
        var row = await meter.MeasureAsync(new RowPlan(subject, workload, TopCallers), TopWarmUp, TopWindow, ct);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"top rate with {TopCallers} callers, in the second minute: {row.TransfersPerSecond:#,##0} transfers/s"));
        return row.TransfersPerSecond;
    }

    private async Task<long> LoadAsync(LumoraSubject subject, Workload workload, double rate, CancellationToken ct)
    {
        var load = Load.StartOpen(await subject.OpenCallerAsync(workload, 0, ct), rate, ct);
        try
        {
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < time;)
            {
                var (window, before, began) = (load.OpenWindow(), load.Transfers, clock.Elapsed);
                await load.WaitAsync(TimeSpan.FromTicks(Math.Min(Line.Ticks, (time - began).Ticks)), ct);
                if (load.Waiting > rate * BehindMaxSeconds)
                    throw new BenchException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"The ledger does not keep up with {rate:#,##0} transfers/s on this machine: {load.Waiting:#,##0} calls wait. Give a smaller --rate."));
                Print(clock.Elapsed, (load.Transfers - before) / (clock.Elapsed - began).TotalSeconds, window);
            }
        }
        finally
        {
            await load.StopAsync();
        }

        return load.Transfers;
    }

    private void Print(TimeSpan elapsed, double rate, LatencyHistogram window)
    {
        using var self = Process.GetCurrentProcess();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{elapsed,9:hh\\:mm\\:ss} {rate,12:#,##0} {window.QuantileMs(0.5),9:0.00} {window.QuantileMs(0.99),9:0.00} "
            + $"{GC.GetTotalMemory(forceFullCollection: false) / BytesPerMegabyte,11:#,##0} {self.WorkingSet64 / BytesPerMegabyte,15:#,##0}"));
    }

    private async Task<bool> VerifyAsync(LumoraSubject subject, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        var verification = await subject.VerifyAllAsync(ct);
        foreach (var finding in verification.Findings)
            output.WriteLine($"WRONG {finding.Code} {finding.Where}: the journal says {finding.Expected}, the table {finding.Actual}");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{verification.Events:#,##0} events verified in {clock.Elapsed.TotalSeconds:0.0} s: "
            + $"{(verification.Findings.Count == 0 ? "clean" : $"{verification.Findings.Count} findings")}"));
        return verification.Findings.Count == 0;
    }
}
