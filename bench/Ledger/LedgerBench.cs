using Lumora.Bench.Ledger.Peers;
using Lumora.Bench.Measuring;
using Lumora.Bench.Reports;
using Lumora.Bench.Server;

namespace Lumora.Bench.Ledger;

/// <summary>
/// Measures the ledger beside its peers and its limits on one server in one run. The machine is never quiet: compared
/// rows are measured in turn, round after round, and each row of the result is the median of its calm rounds.
/// </summary>
internal sealed class LedgerBench(LedgerBenchOptions options, TextWriter output)
{
    private const int CompareCallers = 512;

    private readonly List<BenchRow> _measured = [];
    private readonly LedgerPlan _plan = options.Plan;

    /// <summary>Runs all of it and returns the rows of the result.</summary>
    public async Task<IReadOnlyList<BenchRow>> RunAsync(CancellationToken ct)
    {
        await using var server = await BenchServer.StartAsync(options.Postgres, output.WriteLine, ct);
        var meter = await OpenAsync(server, ct);
        if (options.Only != OnlyRows.Log)
        {
            await using var subjects = await LedgerSubjects.StartAsync(server, options, output.WriteLine, ct);
            output.WriteLine(
                $"{options.Accounts:#,##0} accounts, {options.Keys} keys, rows of {_plan.Window.TotalSeconds} s "
                + $"after {_plan.WarmUp.TotalSeconds} s, median of {_plan.Rounds}; rows in which others kept more than "
                + $"{Calm.OtherProcessorsMax} processors busy count only where there is no other\n");
            await MeasureAsync(subjects, new RowMeter(server, meter), ct);
        }
        else
        {
            output.WriteLine($"{RowTable.Head}   (the row with the log alone)");
        }

        if (_plan.Reads && options.Only is null)
        {
            await using var reads = await ReadSubject.StartAsync(server, ct);
            foreach (var workload in (Workload[])[ReadSubject.BalanceAtTime, ReadSubject.PrefixSum])
            {
                await AddAsync(() => new RowMeter(server, meter).MeasureAsync(
                    new RowPlan(reads, workload, Callers: 1), _plan.WarmUp, _plan.SweepWindow, ct), ct);
            }
        }

        if (options.Log)
            await AddAsync(() => LedgerWithLog.MeasureAsync(server, meter, options, CompareCallers, ct), ct);
        var rows = Result();
        output.WriteLine($"\n{RowTable.Head}");
        foreach (var row in rows)
            output.WriteLine(RowTable.Line(row));
        output.WriteLine($"{RowTable.Legend}\n");
        LedgerTargets.Print(output, rows);
        if (options.Json is { } file)
            await RowTable.WriteJsonAsync(file, rows, ct);
        return rows;
    }

    private async Task<ServerMeter> OpenAsync(BenchServer server, CancellationToken ct)
    {
        output.WriteLine(await server.DescribeAsync(ct));
        output.WriteLine(await FsyncTimes.MeasureAsync(server, ct));
        var meter = await ServerMeter.OpenAsync(server, ct);
        if (!meter.SeesProcesses)
            output.WriteLine("The server's processes cannot be seen from here: its processor time is not measured.");
        if (!meter.ReadsWal)
            output.WriteLine("The server has no pg_walinspect: WAL without page images is not measured.");
        return meter;
    }

    private async Task MeasureAsync(LedgerSubjects subjects, RowMeter meter, CancellationToken ct)
    {
        output.WriteLine($"{RowTable.Head}   (each row as it is measured)");
        var uniform = Workload.Uniform(options.Accounts);
        if (options.Only is null)
            await CompareAsync(subjects, uniform, meter, ct);
        else
            await AddAsync(() => meter.MeasureAsync(new RowPlan(subjects.Lumora, uniform, _plan.Callers[^1]), _plan.WarmUp, _plan.Window, ct), ct);

        var half = Result().Where(row => row is { Subject: "lumora", Workload: "uniform" }).Max(row => row.TransfersPerSecond) / 2;
        await meter.SettleAsync(ct);
        for (var round = 1; round <= _plan.Rounds; round++)
        {
            foreach (var subject in (ISubject[])[subjects.Lumora, subjects.OpenPeer])
            {
                await AddAsync(() => meter.MeasureAsync(
                    new RowPlan(subject, uniform, Callers: 0, half), _plan.WarmUp, _plan.Window, ct), ct);
            }
        }
    }

    private async Task CompareAsync(LedgerSubjects subjects, Workload uniform, RowMeter meter, CancellationToken ct)
    {
        foreach (var peer in subjects.Peers)
        {
            foreach (var connections in peer is LeanSubject { IsBatch: true } ? _plan.BatchConnections : _plan.Connections)
                await AddAsync(() => meter.MeasureAsync(new RowPlan(peer, uniform, connections), _plan.WarmUp, _plan.SweepWindow, ct), ct);
        }

        for (var round = 1; round <= _plan.Rounds; round++)
        {
            foreach (var plan in Round(subjects, uniform, isHotFirst: round % 2 == 0))
                await AddAsync(() => meter.MeasureAsync(plan, _plan.WarmUp, _plan.Window, ct), ct);
        }
    }

    /// <summary>One round. Tables grow from row to row: the two that are compared stand beside each other, each in front in its turn.</summary>
    private IEnumerable<RowPlan> Round(LedgerSubjects subjects, Workload uniform, bool isHotFirst)
    {
        foreach (var callers in _plan.Callers.Where(callers => callers != CompareCallers))
            yield return new RowPlan(subjects.Lumora, uniform, callers);
        var compared = new RowPlan(subjects.Lumora, uniform, CompareCallers);
        var hot = new RowPlan(subjects.Lumora, Workload.Hot(options.Accounts), CompareCallers);
        foreach (var plan in isHotFirst ? [hot, compared] : (RowPlan[])[compared, hot])
            yield return plan;
        yield return new RowPlan(subjects.Lumora, Workload.Zipf(options.Accounts), CompareCallers);
        foreach (var limit in subjects.Limits)
            yield return new RowPlan(limit, uniform, Callers: 1);
        // In a single round the search for the best number of connections has measured the peers already.
        if (_plan.Rounds == 1)
            yield break;
        foreach (var peer in subjects.Peers)
            yield return new RowPlan(peer, uniform, BestOf(peer.Name).Callers);
    }

    private BenchRow BestOf(string subject) =>
        Result().Where(row => row.Subject == subject).MaxBy(row => row.TransfersPerSecond)!;

    private IReadOnlyList<BenchRow> Result() =>
        [.. _measured.GroupBy(row => (row.Subject, row.Workload, row.Callers)).Select(same => BenchRow.MedianOf([.. same]))];

    private async Task AddAsync(Func<Task<BenchRow>> measure, CancellationToken ct)
    {
        await Calm.WaitAsync(TimeSpan.FromSeconds(1), options.Patience, ct);
        var row = await measure();
        _measured.Add(row);
        output.WriteLine(RowTable.Line(row));
    }
}
