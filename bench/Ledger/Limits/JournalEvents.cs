using Lumora.Bench.Measuring;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Bench.Ledger.Limits;

/// <summary>The journal's event of a transfer, as the ledger would write it.</summary>
internal static class JournalEvents
{
    private const int UnitsMax = 100;

    /// <summary>How many events the limits write at once: what 512 callers fill.</summary>
    public const int BatchSize = 500;

    /// <summary>The next event of <paramref name="workload"/>.</summary>
    public static TransactionPosted Next(Workload workload, Random random, KeyKind keys)
    {
        var (payer, payee) = workload.Next(random);
        return new TransactionPosted(
            keys.Next().ToString(), "bench",
            [new Posting(CodeOf(payer), CodeOf(payee), new Amount(random.Next(1, UnitsMax)))]);
    }

    private static string CodeOf(int account) => ChartOfAccounts.Available($"bench-{account:00000000}");
}
