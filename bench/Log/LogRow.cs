using System.Globalization;

namespace Lumora.Bench.Log;

/// <summary>One line of the table and one object of the JSON.</summary>
/// <param name="Subject">What was measured.</param>
/// <param name="Unit">What it counts: <c>leaves/s</c>, <c>events/s</c>, <c>entries/s</c> or <c>ms</c>.</param>
internal sealed record LogRow(string Subject, string Unit)
{
    /// <summary>A rate, of rows that count one.</summary>
    public double? PerSecond { get; init; }

    /// <summary>The median, of rows that count ms.</summary>
    public double? P50Ms { get; init; }

    /// <summary>What one in a hundred exceeds, of rows that count ms.</summary>
    public double? P99Ms { get; init; }

    /// <summary>Entries of the log, or samples.</summary>
    public long Count { get; init; }

    /// <summary>What the design asks at least: a rate that must be reached or a p99 that must not be exceeded.</summary>
    public double? AtLeast { get; init; }

    /// <summary>Whether it is.</summary>
    public bool? Holds => AtLeast is not { } bound ? null : PerSecond is { } rate ? rate >= bound : P99Ms <= bound;

    /// <summary>The head of the table.</summary>
    public static string Head => $"{"subject",-44} {"count",10} {"per second",12} {"p50 ms",9} {"p99 ms",9} {"at least",10}";

    /// <summary>The line.</summary>
    public string Line => string.Create(
        CultureInfo.InvariantCulture,
        $"{Subject,-44} {Count,10:#,##0} {PerSecond,12:#,##0} {P50Ms,9:0.00} {P99Ms,9:0.00} {AtLeast,10:#,##0.##} "
        + $"{(Holds is not { } holds ? "" : holds ? "holds" : "MISSED")}");
}
