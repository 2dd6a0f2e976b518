using System.Globalization;
using Lumora.Bench.Measuring;
using Lumora.Bench.Reports;

namespace Lumora.Bench.Ledger;

/// <summary>What the ledger's design promises about speed, and whether the rows of a run keep it.</summary>
internal static class LedgerTargets
{
    private const double LogAtLeast = 6_000;
    private const double LogAim = 10_000;

    private sealed record Target(string Name, double? Value, double AtLeast, double Aim, bool LessIsBetter = false);

    /// <summary>Writes each promise with its value.</summary>
    public static void Print(TextWriter output, IReadOnlyList<BenchRow> rows)
    {
        output.WriteLine($"{"target",-46} {"measured",10} {"at least",10} {"aim",10}");
        foreach (var target in Targets(rows))
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{target.Name,-46} {target.Value,10:#,##0.###} {target.AtLeast,10:#,##0.###} {target.Aim,10:#,##0.###}  {Verdict(target)}"));
        }

        output.WriteLine(Beside(rows));
    }

    /// <summary>What the machine lets the leanest way have of the promise that its disk and processors decide.</summary>
    private static string Beside(IReadOnlyList<BenchRow> rows) =>
        rows.FirstOrDefault(row => row is { Subject: "lean-batch-100", Workload: "uniform-open" }) is { } lean
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"(beside it, at the same rate: lean SQL that gathers what waits, up to 100 a call: p50 {lean.P50Ms:0.0} ms, p99 {lean.P99Ms:0.0} ms)")
            : "(lean SQL was not measured at that rate)";

    private static IEnumerable<Target> Targets(IReadOnlyList<BenchRow> rows)
    {
        var (at64, at512) = (Lumora(rows, "uniform", 64), Lumora(rows, "uniform", 512));
        var pgledger = Best(rows, "pgledger");
        yield return new("x pgledger's best, 512 callers", at512?.TransfersPerSecond / pgledger, 7, 10);
        yield return new("x pgledger's best, 64 callers", at64?.TransfersPerSecond / pgledger, 3.5, 5);
        yield return new("x lean SQL by 100, 512 callers", at512?.TransfersPerSecond / Best(rows, "lean-batch-100"), 0.6, 1);
        yield return new(
            "hot account against uniform, 512 callers",
            RatioOf(Lumora(rows, "hot", 512), at512), 1, 1.3);
        yield return new("p99 at half of the top rate, ms", Lumora(rows, "uniform-open", 0)?.P99Ms, 50, 25, LessIsBetter: true);
        yield return new(
            "database CPU per transfer, 512 callers, ms", at512?.DatabaseCpuMsPerTransfer, 0.1, 0.06, LessIsBetter: true);
        yield return new("WAL per transfer, 512 callers, bytes", at512?.WalBytesPerTransfer, 1_500, 1_000, LessIsBetter: true);
        yield return new(
            "the same without full-page images", at512?.WalBytesPerTransferWithoutPageImages, 1_500, 1_000, LessIsBetter: true);
        yield return new(
            "ledger and log together, transfers/s", Lumora(rows, "uniform+log", 512)?.TransfersPerSecond, LogAtLeast, LogAim);
        yield return Read(rows, ReadSubject.BalanceAtTime, "balance at a time on 1,000,000 entries, p99, ms", 5, 1);
        yield return Read(rows, ReadSubject.PrefixSum, "sum over 1,000,000 accounts, p99, ms", 20, 5);
    }

    private static Target Read(IReadOnlyList<BenchRow> rows, Workload workload, string name, double atLeast, double aim) =>
        new(name, Lumora(rows, workload.Name, 1)?.P99Ms, atLeast, aim, LessIsBetter: true);

    private static string Verdict(Target target)
    {
        if (target.Value is not { } value)
            return "not measured";
        bool Reaches(double bound) => target.LessIsBetter ? value <= bound : value >= bound;
        return Reaches(target.Aim) ? "reaches the aim" : Reaches(target.AtLeast) ? "holds" : "MISSED";
    }

    private static BenchRow? Lumora(IReadOnlyList<BenchRow> rows, string workload, int callers) =>
        rows.FirstOrDefault(row => row.Subject == "lumora" && row.Workload == workload && row.Callers == callers);

    // Round by round, and the median of these: the machine's speed changes between rounds by more than the two rows differ.
    private static double? RatioOf(BenchRow? row, BenchRow? other)
    {
        if (row is null || other is null)
            return null;
        var ratios = row.RepeatedTransfersPerSecond.Zip(other.RepeatedTransfersPerSecond, (one, two) => one / two).Order().ToList();
        return ratios[(ratios.Count - 1) / 2];
    }

    private static double? Best(IReadOnlyList<BenchRow> rows, string subject)
    {
        var rates = rows.Where(row => row.Subject == subject && row.Workload == "uniform").Select(row => row.TransfersPerSecond).ToList();
        return rates.Count == 0 ? null : rates.Max();
    }
}
