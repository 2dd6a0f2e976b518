using System.Globalization;
using System.Text.Json;

namespace Lumora.Bench.Reports;

/// <summary>Writes rows for people and for scripts.</summary>
internal static class RowTable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>The head of the table.</summary>
    public static string Head =>
        $"{"subject",-18} {"workload",-13} {"callers",7} {"transfers/s",11} {"p50 ms",9} {"p99 ms",9} {"WAL B",7} {"no FPI",7} {"db ms",7} {"cl ms",7} {"others",6}";

    /// <summary>What the columns mean.</summary>
    public const string Legend =
        """
        WAL B = bytes of WAL per transfer, no FPI = without full-page images; db ms, cl ms = processor time per transfer of the
        server's processes and of this one (callers included); others = processors that the rest of the machine kept busy.
        """;

    /// <summary>One line of the table.</summary>
    public static string Line(BenchRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Subject,-18} {row.Workload,-13} {row.Callers,7} {row.TransfersPerSecond,11:#,##0} {row.P50Ms,9:0.00} {row.P99Ms,9:0.00} "
        + $"{row.WalBytesPerTransfer,7:#,##0} {row.WalBytesPerTransferWithoutPageImages,7:#,##0} {row.DatabaseCpuMsPerTransfer,7:0.000} {row.ClientCpuMsPerTransfer,7:0.000} {row.OtherProcessors,6:0.00}");

    /// <summary>Writes all <paramref name="rows"/> as JSON.</summary>
    public static async Task WriteJsonAsync(string file, IReadOnlyList<BenchRow> rows, CancellationToken ct)
    {
        await using var stream = File.Create(file);
        await JsonSerializer.SerializeAsync(stream, rows, Json, ct);
    }
}
