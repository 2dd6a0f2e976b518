using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger.Verification;

public sealed class LedgerVerifierLoadTests(TestDatabases databases)
{
    private const int Callers = 8;

    [Fact]
    public async Task A_ledger_verifies_again_and_again_while_eight_callers_post()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, Callers, 1_000_000);
        using var enough = new CancellationTokenSource();
        var posting = Enumerable.Range(0, Callers).Select(caller => PostAsync(ledger, caller, enough.Token)).ToArray();
        var seen = new List<long>();
        try
        {
            // Chunks that are always shorter than what is new: part of it is replayed inside the snapshot, part before.
            for (var i = 0; i < 10; i++)
            {
                var findings = new List<LedgerFinding>();
                var inspection = new LedgerInspection(
                    harness.Sessions.DataSource(ShardRole.Global), ShardMap.DefaultShard, new LedgerInspectionOptions { ChunkEvents = 50 });
                seen.Add(await inspection.RunAsync(findings.Add, progress: null, TestContext.Current.CancellationToken));
                Assert.Empty(findings);
            }
        }
        finally
        {
            await enough.CancelAsync();
            await Task.WhenAll(posting);
        }

        Assert.True(seen[^1] > seen[0] + Callers, $"it worked meanwhile: {string.Join(", ", seen)}");
    }

    private static async Task PostAsync(LedgerWriter ledger, int caller, CancellationToken enough)
    {
        for (var i = 0; !enough.IsCancellationRequested; i++)
        {
            var answer = await ledger.AskAsync(Request($"{caller}-{i}", (i % 4) switch
            {
                0 => SampleLedger.Hold(caller, 1),
                _ => Pay(Account(caller), Account((caller + i) % Callers == caller ? (caller + 1) % Callers : (caller + i) % Callers), 1),
            }));
            Assert.IsType<LedgerOutcome.Posted>(answer);
        }
    }
}
