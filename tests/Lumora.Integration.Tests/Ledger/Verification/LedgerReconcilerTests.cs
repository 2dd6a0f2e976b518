using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Npgsql;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger.Verification;

public sealed class LedgerReconcilerTests(TestDatabases databases)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Passes_follow_a_working_ledger_to_its_head_and_a_new_reconciler_goes_on_where_the_last_one_stopped()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await SampleLedger.FillAsync(ledger);
        var reconciler = await ReconcilerAsync(harness, chunk: 7);
        Assert.Equal(7, await reconciler.PassAsync(Ct));
        for (var i = 0; i < 40; i++)
        {
            await SampleLedger.PostedAsync(ledger, $"more-{i}", i % 5 == 0 ? SampleLedger.Hold(0, 1) : Pay(Account(0), Account(1), 1));
            reconciler = await ReconcilerAsync(harness, chunk: 7);
            await reconciler.PassAsync(Ct);
            Assert.False((await reconciler.StatusAsync(Ct)).Differs);
        }

        while (await reconciler.PassAsync(Ct) > 0)
        {
        }

        var status = await reconciler.StatusAsync(Ct);
        Assert.Empty(status.First);
        Assert.Equal(await harness.CountAsync("select max(version) from mt_events where stream_id = 'ledger/main'"), status.Version);
        Assert.Null(status.CleanAt);
        Assert.True(await reconciler.FullPassAsync(Ct));
        Assert.NotNull((await reconciler.StatusAsync(Ct)).CleanAt);
        Assert.False(await reconciler.FullPassAsync(Ct), "it is not time again");
    }

    [Theory]
    [InlineData(LedgerFindingCodes.AccountDiffers, "update ledger_account set held = held + 1 where number = 3")]
    [InlineData(LedgerFindingCodes.EntryDiffers, "update ledger_entry set balance = balance + 1 where account = 3")]
    [InlineData(LedgerFindingCodes.EntryDiffers, "insert into ledger_entry values (3, 2, 40, 1, 1)")]
    [InlineData(LedgerFindingCodes.OutcomeDiffers, "update ledger_outcome set kind = 'x' where kind = 'sale'")]
    [InlineData(LedgerFindingCodes.OutcomeDiffers, "delete from ledger_outcome where kind = 'sale'")]
    [InlineData(LedgerFindingCodes.HoldDiffers, "update ledger_hold set captured = captured + 1 where status = 0")]
    [InlineData(LedgerFindingCodes.ReversalDiffers, "update ledger_reversal set amount = amount - 1")]
    [InlineData(LedgerFindingCodes.RollUpDiffers, "update ledger_roll_up set accounts = accounts + 1 where prefix = 'escrow'")]
    [InlineData(LedgerFindingCodes.SumNotZero, "update ledger_roll_up set balance = balance + 1 where prefix = 'network'")]
    [InlineData(LedgerFindingCodes.TimeDiffers, "update ledger_time set journal_version = journal_version + 1")]
    [InlineData(LedgerFindingCodes.FenceDiffers, "update ledger_fence set account_count = account_count + 1")]
    public async Task What_is_wrong_with_new_rows_is_found_by_a_pass_and_stands_until_a_full_pass_is_clean(string code, string damage)
    {
        await using var harness = await StartAsync(databases);
        await SampleLedger.FillAsync(await harness.WriterAsync());
        var reconciler = await ReconcilerAsync(harness, chunk: 1_000);
        await harness.ExecuteAsync(damage);
        await reconciler.PassAsync(Ct);
        var found = await reconciler.StatusAsync(Ct);
        Assert.Contains(code, found.Counts.Keys);
        Assert.True(await reconciler.FullPassAsync(Ct));
        Assert.True((await reconciler.StatusAsync(Ct)).Differs);

        var source = harness.Sessions.DataSource(ShardRole.Global);
        Assert.True((await new LedgerRebuild(source, ShardMap.DefaultShard).RunAsync(_ => { }, null, Ct)).Swapped);
        await reconciler.PassAsync(Ct);
        Assert.True((await reconciler.StatusAsync(Ct)).Differs, "a pass over what is new ends no alarm");
        await harness.ExecuteAsync("update ledger_check.status set full_at = null");
        Assert.True(await reconciler.FullPassAsync(Ct));
        Assert.False((await reconciler.StatusAsync(Ct)).Differs);
    }

    private static async Task<LedgerReconciler> ReconcilerAsync(LedgerHarness harness, int chunk)
    {
        var reconciler = new LedgerReconciler(
            harness.Sessions.DataSource(ShardRole.Global), ShardMap.DefaultShard,
            new LedgerReconciliationOptions { ChunkEvents = chunk, EventsPerSecondMax = 1_000_000 }, TimeProvider.System,
            new Dictionary<string, NpgsqlDataSource>());
        await reconciler.PrepareAsync(Ct);
        return reconciler;
    }
}
