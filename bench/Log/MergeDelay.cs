using System.Diagnostics;
using Lumora.Bench.Ledger;
using Lumora.Bench.Measuring;
using Lumora.Bench.Server;

namespace Lumora.Bench.Log;

/// <summary>
/// How long a transfer waits from its commit until a published checkpoint holds it. Only the ledger may append while this
/// runs: then the log grows with the journal, entry by entry.
/// </summary>
internal sealed class MergeDelay
{
    private readonly LedgerLoad _books;
    private readonly BenchHost _host;
    private readonly long _sizeAtZero;

    private MergeDelay(BenchHost host, LedgerLoad books, long sizeAtZero) =>
        (_host, _books, _sizeAtZero) = (host, books, sizeAtZero);

    /// <summary>Looks where log and journal stand; the log must have caught up.</summary>
    public static async Task<MergeDelay> OpenAsync(BenchHost host, LedgerLoad books, CancellationToken ct)
    {
        var version = await books.PayAsync(0, 1, ct);
        return new MergeDelay(host, books, await host.CatchUpAsync(ct) - version);
    }

    /// <summary>Pays <paramref name="samples"/> times, with <paramref name="pause"/> before each, and waits for each to be published.</summary>
    public async Task<LatencyHistogram> MeasureAsync(int samples, TimeSpan pause, CancellationToken ct)
    {
        var delays = new LatencyHistogram();
        var waiting = new List<Task>();
        for (var i = 0; i < samples; i++)
        {
            await Task.Delay(pause, ct);
            var version = await _books.PayAsync(0, 1, ct);
            waiting.Add(RecordAsync(version, Stopwatch.GetTimestamp()));
        }

        await Task.WhenAll(waiting);
        return delays;

        async Task RecordAsync(long version, long committed)
        {
            await _host.Logs.WaitForLargerAsync(_host.Shard, _sizeAtZero + version - 1, ct);
            delays.Record(Stopwatch.GetElapsedTime(committed));
        }
    }
}
