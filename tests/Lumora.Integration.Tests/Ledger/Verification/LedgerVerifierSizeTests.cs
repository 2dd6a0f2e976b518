using System.Diagnostics;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger.Verification;

/// <summary>Memory is the process's: nothing else may run beside it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>A journal of 300,000 events; with <c>LUMORA_LONG=1</c> one of 10,000,000.</summary>
[Collection(nameof(Alone))]
public sealed class LedgerVerifierSizeTests(TestDatabases databases)
{
    private const int Accounts = 20_000;
    private const long LiveBytesMax = 100L << 20;
    private static readonly int Events = Environment.GetEnvironmentVariable("LUMORA_LONG") == "1" ? 10_000_000 : 300_000;

    [Fact]
    public async Task Memory_stays_flat_however_long_the_journal_is_and_accounts_are_kept_in_the_database()
    {
        await using var harness = await StartAsync(databases);
        await harness.WriterAsync(run: false);
        await harness.ExecuteAsync(JournalSql);
        var source = harness.Sessions.DataSource(ShardRole.Global);
        var options = new LedgerInspectionOptions { AccountsInMemoryMax = 5_000 };
        var rebuilding = Stopwatch.StartNew();
        Assert.True((await new LedgerRebuild(source, ShardMap.DefaultShard).RunAsync(Fail, null, TestContext.Current.CancellationToken)).Swapped);
        rebuilding.Stop();

        var live = new List<long>();
        var replaying = Stopwatch.StartNew();
        var replayed = TimeSpan.Zero;
        var events = await new LedgerInspection(source, ShardMap.DefaultShard, options).RunAsync(
            Fail, progress =>
            {
                if (progress.Replayed % (Events / 10) < 10_000)
                    live.Add(GC.GetTotalMemory(forceFullCollection: true));
                replayed = replaying.Elapsed;
            },
            TestContext.Current.CancellationToken);
        TestContext.Current.SendDiagnosticMessage(
            $"{events} events: rebuilt in {rebuilding.Elapsed.TotalSeconds:F1} s, replayed in {replayed.TotalSeconds:F1} s, "
            + $"verified in {replaying.Elapsed.TotalSeconds:F1} s; live MiB {string.Join(", ", live.Select(bytes => bytes >> 20))}");

        Assert.Equal(Events, events);
        Assert.InRange(live.Max() - live.Min(), 0, LiveBytesMax);
        // The last third needs no more than the first: nothing grows.
        Assert.InRange(live[^1] - live[1], long.MinValue, 10L << 20);
    }

    // Accounts are opened and funded, then everybody pays everybody, 100 events at each of the ledger's times.
    private static string JournalSql =>
        $$$"""
        insert into mt_streams (id, type, version, tenant_id) values ('ledger/main', 'ledger_journal', {{{Events}}}, 'main');
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, user_name, is_archived)
        select nextval('mt_events_sequence'), gen_random_uuid(), 'ledger/main', v,
          case when v = 1 then '{"id":"e","code":"network/emission","asset":"LMR","floor":null}'::jsonb
            when v <= 1 + {{{Accounts}}} then jsonb_build_object('id', 'o' || v, 'code', 'participant/' || v - 2 || '/available', 'asset', 'LMR', 'floor', '0')
            else jsonb_build_object('id', 'p' || v, 'kind', 'test', 'postings', jsonb_build_array(jsonb_build_object(
              'from', case when v <= 1 + 2 * {{{Accounts}}} then 'network/emission' else 'participant/' || v * 7919 % {{{Accounts}}} || '/available' end,
              'to', 'participant/' || case when v <= 1 + 2 * {{{Accounts}}} then v - 2 - {{{Accounts}}} else (v * 7919 + 1 + v % 97) % {{{Accounts}}} end || '/available',
              'amount', case when v <= 1 + 2 * {{{Accounts}}} then '1000000000' else '1' end, 'asset', 'LMR'))) end,
          case when v <= 1 + {{{Accounts}}} then 'account_opened' else 'transaction_posted' end,
          timestamptz '2026-01-01Z' + v / 100 * interval '1 millisecond', 'main', '', 'system:test', false
        from generate_series(1::bigint, {{{Events}}}) v
        """;

    private static void Fail(LedgerFinding finding) => Assert.Fail($"{finding}");
}
