using Lumora.Bench.Server;

namespace Lumora.Bench.Reports;

/// <summary>One row of the table and one object of the JSON; of a repeated row the median one.</summary>
/// <param name="Subject">Who did the work.</param>
/// <param name="Workload">Between which accounts; "-open" = at a fixed rate.</param>
/// <param name="Callers">Callers that waited at the same time; 0 at a fixed rate.</param>
internal sealed record BenchRow(string Subject, string Workload, int Callers)
{
    /// <summary>Durable transfers a second.</summary>
    public double TransfersPerSecond { get; init; }

    /// <summary>Median latency of a call, in ms.</summary>
    public double P50Ms { get; init; }

    /// <summary>Latency that one call in a hundred exceeds, in ms.</summary>
    public double P99Ms { get; init; }

    /// <summary>Bytes of WAL, the full-page images right after a checkpoint included.</summary>
    public double WalBytesPerTransfer { get; init; }

    /// <summary>The same without full-page images; null when the server cannot tell.</summary>
    public double? WalBytesPerTransferWithoutPageImages { get; init; }

    /// <summary>Full-page images, as the server's statistics count them.</summary>
    public double PageImagesPerTransfer { get; init; }

    /// <summary>Processor time of all processes of the server, in ms; null when they cannot be seen.</summary>
    public double? DatabaseCpuMsPerTransfer { get; init; }

    /// <summary>Processor time of this process, in ms: the callers, and the ledger where it runs here.</summary>
    public double ClientCpuMsPerTransfer { get; init; }

    /// <summary>
    /// How many processors everything else on this machine kept busy: near 0, or the row tells less than it seems to.
    /// Null when it cannot be seen.
    /// </summary>
    public double? OtherProcessors { get; init; }

    /// <summary>Transfers in the window.</summary>
    public long Transfers { get; init; }

    /// <summary>Length of the window.</summary>
    public double Seconds { get; init; }

    /// <summary>How long the log took behind the last transfer; null where no log follows.</summary>
    public double? CatchUpSeconds { get; init; }

    /// <summary>How often the row was measured.</summary>
    public int Repetitions { get; init; } = 1;

    /// <summary>The rates of all repetitions, in their order.</summary>
    public IReadOnlyList<double> RepeatedTransfersPerSecond { get; init; } = [];

    /// <summary>
    /// The median of <paramref name="rows"/>: by rate, or at a fixed rate by p99. Of an even number the worse one. Those
    /// that the rest of the machine disturbed count only when all were.
    /// </summary>
    public static BenchRow MedianOf(IReadOnlyList<BenchRow> rows)
    {
        var calm = rows.Where(row => row.OtherProcessors is null or <= Calm.OtherProcessorsMax).ToList();
        var counted = calm.Count > 0 ? calm : rows;
        var ordered = rows[0].Workload.EndsWith("-open", StringComparison.Ordinal)
            ? counted.OrderByDescending(row => row.P99Ms).ToList()
            : [.. counted.OrderBy(row => row.TransfersPerSecond)];
        return ordered[(ordered.Count - 1) / 2] with
        {
            Repetitions = rows.Count,
            RepeatedTransfersPerSecond = [.. rows.Select(row => row.TransfersPerSecond)],
        };
    }
}
