using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger.Verification;

public sealed class LedgerRebuildTests(TestDatabases databases)
{
    private const string Layout =
        """
        select string_agg(line, e'\n' order by line) from (
          select indexdef as line from pg_indexes where schemaname = 'public' and tablename like 'ledger\_%'
          union all
          select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
          where connamespace = 'public'::regnamespace and conrelid::regclass::text like 'ledger\_%'
          union all
          select relname || ' ' || relowner::regrole || ' ' || coalesce(reloptions::text, '') || ' ' || coalesce(relacl::text, '')
          from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname like 'ledger\_%') l
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("select 1")]
    [InlineData("update ledger_account set balance = balance + 1; update ledger_entry set balance = balance - 1; update ledger_hold set captured = 5")]
    [InlineData("truncate ledger_account, ledger_outcome, ledger_entry, ledger_hold, ledger_reversal, ledger_roll_up, ledger_time")]
    [InlineData("delete from ledger_fence; insert into ledger_roll_up values ('x', 'y', 1, 2, 3)")]
    public async Task A_rebuild_makes_the_same_bytes_whatever_had_become_of_the_tables(string damage)
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await SampleLedger.FillAsync(ledger);
        await harness.ExecuteAsync("grant select on ledger_entry to pg_monitor");
        var (before, layout) = (await ContentAsync(harness), await TextAsync(harness, Layout));

        await harness.ExecuteAsync(damage);
        Assert.True((await RebuildAsync(harness)).Swapped);

        Assert.Equal(before, await ContentAsync(harness));
        Assert.Equal(layout, await TextAsync(harness, Layout));
        await harness.AssertSchemaAsync();
        Assert.Equal(0, await harness.CountAsync("select count(*) from pg_namespace where nspname = 'ledger_rebuild'"));
        // The writer remembers balances and an outcome from before: it has to read them again, and does.
        Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Request("after", Pay(Account(0), Account(1), 1))));
        Assert.True(Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Request("fund-0", Pay(ChartOfAccounts.Emission, Account(0), 1_000)))).Replayed);
    }

    [Fact]
    public async Task A_writer_works_through_rebuilds_and_readers_too()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 8, 1_000_000);
        using var enough = new CancellationTokenSource();
        var posted = 0;
        var posting = Enumerable.Range(0, 8).Select(async caller =>
        {
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Request($"{caller}-{i}", Pay(Account(caller), Account((caller + 1) % 8), 1))));
                Interlocked.Increment(ref posted);
                Assert.NotNull(await harness.Queries.AccountAsync(ShardRole.Global, Account(caller), ChartOfAccounts.Lmr, Ct));
            }
        }).ToArray();
        try
        {
            for (var i = 0; i < 5; i++)
            {
                Assert.True((await RebuildAsync(harness, new LedgerInspectionOptions { ChunkEvents = 100 })).Swapped);
                Assert.Empty((await new LedgerVerifier(harness.Sessions).VerifyAsync(ShardRole.Global, Ct)).Findings);
            }
        }
        finally
        {
            await enough.CancelAsync();
            await Task.WhenAll(posting);
        }

        Assert.Equal(posted, await harness.CountAsync("select count(*) from mt_events where data ->> 'kind' = 'test'") - 8);
        Assert.True(posted > 0);
    }

    [Fact]
    public async Task A_journal_at_fault_is_not_rebuilt_from_and_nothing_changes()
    {
        await using var harness = await StartAsync(databases);
        harness.VerifiesAtEnd = false;
        await SampleLedger.FillAsync(await harness.WriterAsync());
        await harness.ExecuteAsync("update ledger_account set balance = 4711 where number = 2");
        await harness.ExecuteAsync(SampleLedger.Append("account_opened", """{"id":"sale","code":"chain/x","asset":"LMR","floor":null}"""));
        var before = await ContentAsync(harness);
        // In one chunk the fold sees the second outcome of the key; in small ones only the table's key does.
        foreach (var options in (LedgerInspectionOptions[])[new(), new() { ChunkEvents = 2 }])
        {
            var findings = new List<LedgerFinding>();
            Assert.False((await RebuildAsync(harness, options, findings)).Swapped);
            Assert.Equal(LedgerFindingCodes.OutcomeDuplicate, Assert.Single(findings).Code);
            Assert.Equal(before, await ContentAsync(harness));
        }
    }

    private static async Task<LedgerRebuilt> RebuildAsync(
        LedgerHarness harness, LedgerInspectionOptions? options = null, List<LedgerFinding>? findings = null)
    {
        findings ??= [];
        return await new LedgerRebuild(harness.Sessions.DataSource(ShardRole.Global), ShardMap.DefaultShard, options)
            .RunAsync(findings.Add, progress: null, Ct);
    }

    /// <summary>A digest over the ordered rows of each table, the fence without the version that only ever moves.</summary>
    private static async Task<string> ContentAsync(LedgerHarness harness)
    {
        var tables = SampleLedger.Tables.Select(table => table == "ledger_fence"
            ? "(select shard, journal_version, account_count, at from ledger_fence)"
            : $"(select * from {table})");
        var digests = tables.Select(rows => $"(select count(*) || ':' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {rows} t)");
        return await TextAsync(harness, $"select concat_ws(' ', {string.Join(", ", digests)})");
    }

    private static async Task<string> TextAsync(LedgerHarness harness, string sql)
    {
        await using var command = harness.Sessions.DataSource(ShardRole.Global).CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync(Ct))!;
    }
}
