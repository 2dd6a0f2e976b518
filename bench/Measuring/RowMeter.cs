using System.Diagnostics;
using Lumora.Bench.Reports;
using Lumora.Bench.Server;

namespace Lumora.Bench.Measuring;

/// <summary>What a row is to measure.</summary>
/// <param name="Subject">Who does the work.</param>
/// <param name="Workload">Between which accounts.</param>
/// <param name="Callers">How many callers wait at the same time; 0 for a load of fixed rate.</param>
/// <param name="PerSecond">The fixed rate, in transfers a second; null for a closed loop.</param>
internal sealed record RowPlan(ISubject Subject, Workload Workload, int Callers, double? PerSecond = null)
{
    /// <summary>The workload's name as the table shows it.</summary>
    public string WorkloadName => PerSecond is null ? Workload.Name : $"{Workload.Name}-open";
}

/// <summary>Measures one row: warm-up, checkpoint, window, and the books at the end.</summary>
internal sealed class RowMeter(BenchServer server, ServerMeter meter)
{
    private const double SettlingShare = 2.5;

    /// <summary>Waits until the server has done with what earlier rows have left to it.</summary>
    public Task SettleAsync(CancellationToken ct) => server.SettleAsync(ct);

    /// <summary>Measures <paramref name="plan"/>.</summary>
    public async Task<BenchRow> MeasureAsync(RowPlan plan, TimeSpan warmUp, TimeSpan window, CancellationToken ct)
    {
        var load = await StartAsync(plan, ct);
        LatencyHistogram latencies;
        MeterReading before, after;
        long first, last;
        try
        {
            await load.WaitAsync(warmUp, ct);
            // The rate of a closed loop pays for a checkpoint at full speed, behind which each page is logged whole at its next change. A
            // latency is that of a server between two checkpoints of its own, once what it had to do at the start is worked off.
            if (plan.PerSecond is null)
                await server.CheckpointAsync(ct);
            else
                await load.WaitAsync(warmUp * SettlingShare, ct);
            latencies = load.OpenWindow();
            (before, first) = (await meter.ReadAsync(ct), load.Transfers);
            await load.WaitAsync(window, ct);
            (after, last) = (await meter.ReadAsync(ct), load.Transfers);
            load.CloseWindow();
        }
        finally
        {
            await load.StopAsync();
        }

        await plan.Subject.VerifyAsync(ct);
        return await RowAsync(
            new BenchRow(plan.Subject.Name, plan.WorkloadName, plan.Callers) { Transfers = last - first },
            latencies, before, after, ct);
    }

    /// <summary>Fills in what the readings say.</summary>
    /// <param name="row">What was measured, and how many transfers were made.</param>
    /// <param name="latencies">Of the window.</param>
    /// <param name="before">At its begin.</param>
    /// <param name="after">At its end.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<BenchRow> RowAsync(
        BenchRow row, LatencyHistogram latencies, MeterReading before, MeterReading after, CancellationToken ct)
    {
        var withoutImages = await meter.WithoutPageImagesAsync(before, after, ct);
        var transfers = (double)Math.Max(1, row.Transfers);
        var seconds = Stopwatch.GetElapsedTime(before.At, after.At).TotalSeconds;
        var others = after.MachineCpuMs - before.MachineCpuMs - (after.DatabaseCpuMs - before.DatabaseCpuMs)
            - (after.ClientCpuMs - before.ClientCpuMs);
        return row with
        {
            TransfersPerSecond = transfers / seconds,
            P50Ms = latencies.QuantileMs(0.5),
            P99Ms = latencies.QuantileMs(0.99),
            WalBytesPerTransfer = (after.WalBytes - before.WalBytes) / transfers,
            WalBytesPerTransferWithoutPageImages = withoutImages / transfers,
            PageImagesPerTransfer = (after.PageImages - before.PageImages) / transfers,
            DatabaseCpuMsPerTransfer = (after.DatabaseCpuMs - before.DatabaseCpuMs) / transfers,
            ClientCpuMsPerTransfer = (after.ClientCpuMs - before.ClientCpuMs) / transfers,
            OtherProcessors = others / 1_000 / seconds,
            Seconds = seconds,
        };
    }

    private static async Task<Load> StartAsync(RowPlan plan, CancellationToken ct)
    {
        if (plan.PerSecond is { } rate)
            return Load.StartOpen(await plan.Subject.OpenRateAsync(plan.Workload, ct), rate, ct);
        var callers = new List<ICaller>(plan.Callers);
        for (var i = 0; i < plan.Callers; i++)
            callers.Add(await plan.Subject.OpenCallerAsync(plan.Workload, i, ct));
        return Load.StartClosed(callers, ct);
    }
}
