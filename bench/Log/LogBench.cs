using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Lumora.Bench.Ledger;
using Lumora.Bench.Measuring;
using Lumora.Bench.Server;
using Lumora.Chain.Log;
using Lumora.Domain.Merkle;
using Lumora.Projections.EventStore;

namespace Lumora.Bench.Log;

/// <summary>
/// Makes a log of real events (a ledger's transfers, written by the ledger itself) and measures everything that happens to it, beside
/// what bounds it: hashing alone and appending alone, in the same run.
/// </summary>
internal sealed class LogBench(LogBenchOptions options, TextWriter output)
{
    private const int Accounts = 10_000;
    private const int Callers = 512;
    private const double LoadPerSecond = 5_000;
    private const int Proofs = 6_000;

    // What else happens on the machine for some tens of ms decides over the p99 of a round of two seconds: the median round counts.
    private const int ProofRounds = 5;

    // What follows the journal in chunks rests in between.
    private static readonly TimeSpan CalmSample = TimeSpan.FromSeconds(10);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly List<LogRow> _rows = [];

    /// <summary>Runs all of it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await using var server = await BenchServer.StartAsync(options.Postgres, output.WriteLine, ct);
        output.WriteLine(await server.DescribeAsync(ct));
        output.WriteLine(LogRow.Head);
        var database = await server.CreateDatabaseAsync("log", ct);
        if (options.Made is { } made)
            await MadeAsync(server, database, made, ct);
        else
            await RealAsync(server, database, ct);
        if (options.Json is { } file)
        {
            await using var stream = File.Create(file);
            await JsonSerializer.SerializeAsync(stream, _rows, Json, ct);
        }
    }

    /// <summary>A log of real events, from the database to the auditor.</summary>
    private async Task RealAsync(BenchServer server, string database, CancellationToken ct)
    {
        await AppendAsync(database, ct);
        await server.AnalyzeAsync(ct);

        var started = Stopwatch.GetTimestamp();
        await using var host = BenchHost.Start(database);
        var ready = Stopwatch.GetTimestamp();
        var before = host.Logs.Latest(host.Shard)?.Checkpoint.Size ?? 0;
        var size = await host.CatchUpAsync(ct);
        Add(new LogRow("catching up: database to checkpoint", "leaves/s")
        {
            Count = size - before,
            PerSecond = (size - before) / Stopwatch.GetElapsedTime(ready).TotalSeconds,
            AtLeast = 15_000,
        });
        output.WriteLine($"(the host was ready after {Stopwatch.GetElapsedTime(started, ready).TotalSeconds:0.0} s, with {before} leaves)");
        await HashAsync(host, size, ct);
        await SettleAsync(server, ct);
        await ProveAsync(host, size, ct);
        Add(await OutsideAudit.MeasureAsync(host, size, output, ct));
        await DelayAsync(host, ct);
    }

    /// <summary>Publishing and proofs alone, of a log whose leaves the database makes.</summary>
    private async Task MadeAsync(BenchServer server, string database, long size, CancellationToken ct)
    {
        var home = BenchHost.NewHome();
        string shard;
        await using (var first = BenchHost.Start(database, home: home, keepsHome: true))
        {
            shard = first.Shard;
            await first.CatchUpAsync(ct);
        }

        await MadeLeaves.FillAsync(database, shard, size, output, ct);
        var started = Stopwatch.GetTimestamp();
        await using var host = BenchHost.Start(database, home: home);
        var published = (await host.Logs.WaitForLargerAsync(shard, size - 1, ct)).Checkpoint.Size;
        Add(new LogRow("publishing, start of the host included", "leaves/s")
        {
            Count = published,
            PerSecond = published / Stopwatch.GetElapsedTime(started).TotalSeconds,
        });
        await SettleAsync(server, ct);
        await ProveAsync(host, published, ct);
    }

    /// <summary>A million rows leave the server work for minutes, and what else follows the journal has to catch up as well.</summary>
    private async Task SettleAsync(BenchServer server, CancellationToken ct)
    {
        await server.VacuumAsync(ct);
        await server.CheckpointAsync(ct);
        await Calm.WaitAsync(CalmSample, options.Patience, ct);
    }

    private void Add(LogRow row)
    {
        _rows.Add(row);
        output.WriteLine(row.Line);
    }

    /// <summary>The events, and how fast the ledger appends them without a log.</summary>
    private async Task AppendAsync(string database, CancellationToken ct)
    {
        await using var subject = await LumoraSubject.StartAsync(database, Accounts, KeyKind.Random, ct);
        var uniform = Workload.Uniform(Accounts);
        var callers = new List<ICaller>();
        for (var i = 0; i < Callers; i++)
            callers.Add(await subject.OpenCallerAsync(uniform, i, ct));
        var started = Stopwatch.GetTimestamp();
        var load = Load.StartClosed(callers, ct);
        while (load.Transfers < options.Events - 2 * Accounts)
            await load.WaitAsync(TimeSpan.FromMilliseconds(100), ct);
        await load.StopAsync();
        Add(new LogRow("appending alone, no log", "events/s")
        {
            Count = load.Transfers,
            PerSecond = load.Transfers / Stopwatch.GetElapsedTime(started).TotalSeconds,
        });
    }

    /// <summary>Hashing alone: leaf hashes and the nodes above them, on one thread, of the log's own entries.</summary>
    private async Task HashAsync(BenchHost host, long size, CancellationToken ct)
    {
        const int Sample = 20_000;
        var entries = new List<byte[]>();
        await foreach (var leaf in host.Logs.Find(host.Shard)!.Leaves.ReadAsync(Math.Max(0, size - Sample), size, ct))
            entries.Add(leaf.Bytes);
        var tree = new CompactRange();
        var (started, count) = (Stopwatch.GetTimestamp(), 0L);
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(1))
        {
            foreach (var entry in entries)
                tree.Append(MerkleHash.OfLeaf(entry));
            count += entries.Count;
        }

        Add(new LogRow($"SHA-256 alone, entries of {entries.Sum(entry => (long)entry.Length) / entries.Count} bytes", "leaves/s")
        {
            Count = count,
            PerSecond = count / Stopwatch.GetElapsedTime(started).TotalSeconds,
        });
    }

    /// <summary>Proofs of random events, by one caller: the look-up, then the proof, then all of it over HTTP.</summary>
    private async Task ProveAsync(BenchHost host, long size, CancellationToken ct)
    {
        using var client = host.CreateClient();
        var log = host.Logs.Find(host.Shard)!;
        var (memory, paused) = (Environment.WorkingSet, GC.GetTotalPauseDuration());
        int[] collections = [.. Enumerable.Range(0, 3).Select(GC.CollectionCount)];
        var events = await EventsAsync(host, size, ct);
        var leaves = new LeafRow[events.Count];
        await MeasureAsync("an event's leaf in the database", atLeast: null, async i => leaves[i] = (await log.Leaves.FindAsync(events[i], ct))!);
        await MeasureAsync("its proof from the tiles", atLeast: null, i => log.Proofs.ProveAsync(leaves[i], ct));
        // On a thread of its own: it blocks.
        await Task.Factory.StartNew(OverHttpAsync, ct, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        output.WriteLine(
            $"(working set {memory >> 20} MiB before the proofs, {Environment.WorkingSet >> 20} MiB after; {GC.CollectionCount(0) - collections[0]} collections, "
            + $"{GC.CollectionCount(1) - collections[1]} of them of generation 1 and {GC.CollectionCount(2) - collections[2]} of 2, "
            + $"paused them for {(GC.GetTotalPauseDuration() - paused).TotalMilliseconds:0} ms)");

        async Task OverHttpAsync()
        {
            var server = client.BaseAddress!;
            byte[] key = KeptConnection.Request(server, $"/log/{host.Shard}/key");
            byte[][] proofs = [.. events.Select(id => KeptConnection.Request(server, $"/log/{host.Shard}/proof/{id}"))];
            using var connection = new KeptConnection(server);
            await MeasureAsync("the log's key over HTTP", atLeast: null, _ => Get(key));
            await MeasureAsync("leaf and proof over HTTP", atLeast: 1, i => Get(proofs[i]));

            Task Get(byte[] request)
            {
                connection.Get(request);
                return Task.CompletedTask;
            }
        }

        async Task MeasureAsync(string subject, double? atLeast, Func<int, Task> work)
        {
            await WarmCode.WaitAsync(RepeatAsync, TimeSpan.FromSeconds(1), options.Patience);
            var rounds = new List<LatencyHistogram>();
            while (rounds.Count < ProofRounds)
                rounds.Add(await RoundAsync());
            rounds.Sort((a, b) => a.QuantileMs(0.99).CompareTo(b.QuantileMs(0.99)));
            var median = rounds[ProofRounds / 2];
            Add(new LogRow($"{subject}, log of {size}", "ms")
            {
                Count = events.Count,
                P50Ms = median.QuantileMs(0.5),
                P99Ms = median.QuantileMs(0.99),
                AtLeast = atLeast,
            });
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"(the p99 of {ProofRounds} rounds: {string.Join(", ", rounds.Select(round => $"{round.QuantileMs(0.99):0.00}"))} ms)"));

            async Task<LatencyHistogram> RoundAsync()
            {
                var times = new LatencyHistogram();
                for (var i = 0; i < events.Count; i++)
                {
                    var started = Stopwatch.GetTimestamp();
                    await work(i);
                    times.Record(Stopwatch.GetElapsedTime(started));
                }

                return times;
            }

            async Task RepeatAsync(TimeSpan time)
            {
                var clock = Stopwatch.StartNew();
                for (var i = 0; clock.Elapsed < time; i = (i + 1) % events.Count)
                    await work(i);
            }
        }
    }

    private async Task DelayAsync(BenchHost host, CancellationToken ct)
    {
        var books = new LedgerLoad(host.Ledger, host.Sessions.DataSource(ShardRole.Global), host.Shard, KeyKind.Random);
        var delay = await MergeDelay.OpenAsync(host, books, ct);
        Add(Row("merge delay, one transfer at a time", await delay.MeasureAsync(options.DelaySamples, TimeSpan.FromMilliseconds(100), ct)));

        var load = Load.StartOpen(books.OpenCaller(Workload.Uniform(Accounts), 0), LoadPerSecond, ct);
        await WarmCode.WaitAsync(load, TimeSpan.FromSeconds(5), options.Patience, ct);
        var loaded = await delay.MeasureAsync(options.DelaySamples, TimeSpan.FromMilliseconds(20), ct);
        await load.StopAsync();
        Add(Row($"merge delay, {LoadPerSecond:#,##0} events/s beside it", loaded));

        LogRow Row(string subject, LatencyHistogram delays) => new(subject, "ms")
        {
            Count = options.DelaySamples,
            P50Ms = delays.QuantileMs(0.5),
            P99Ms = delays.QuantileMs(0.99),
            AtLeast = 1_000,
        };
    }

    private static async Task<List<Guid>> EventsAsync(BenchHost host, long size, CancellationToken ct)
    {
        var random = new Random(1);
        var events = new List<Guid>();
        await using var command = host.Sessions.DataSource(ShardRole.Global).CreateCommand(
            "select event_id from log_leaves where leaf_index = any($1)");
        command.Parameters.AddWithValue(Enumerable.Range(0, Proofs).Select(_ => random.NextInt64(size)).ToArray());
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            events.Add(reader.GetGuid(0));
        return events;
    }
}
