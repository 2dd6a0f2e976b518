using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>The journal is written around Marten: what it reads there must be what it would have written.</summary>
public sealed class JournalAppendTests(TestDatabases databases)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_row_of_the_journal_is_the_row_that_Marten_writes()
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 1, 100);
        await using (var session = harness.Sessions.Open(ShardRole.Global, Network))
        {
            session.Events.StartStream<LedgerJournal>("probe", new AccountOpened("open-0", Account(0), "LMR", 0));
            await session.SaveChangesAsync(Ct);
        }

        // All columns but those that differ by nature, and the two of docs/decisions/0009.
        const string Row =
            """
            (select to_jsonb(e) - array['seq_id', 'id', 'stream_id', 'version', 'timestamp', 'mt_dotnet_type', 'headers']
             from mt_events e where {0})
            """;
        var ours = string.Format(System.Globalization.CultureInfo.InvariantCulture, Row, "stream_id = 'ledger/main' and data->>'id' = 'open-0'");
        var martens = string.Format(System.Globalization.CultureInfo.InvariantCulture, Row, "stream_id = 'probe'");
        Assert.Equal(1, await harness.CountAsync($"select ({ours} = {martens})::int"));
        const string Stream = "(select to_jsonb(s) - array['id', 'version', 'timestamp', 'created'] from mt_streams s where id = '{0}')";
        Assert.Equal(1, await harness.CountAsync(
            $"select ({Stream.Replace("{0}", "ledger/main", StringComparison.Ordinal)} = {Stream.Replace("{0}", "probe", StringComparison.Ordinal)})::int"));
    }

    [Fact]
    public async Task Marten_reads_the_journal_with_actors_times_and_versions()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 2, 100);
        var alice = new Actor("participant_0", Roles.None);
        var answer = Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(new LedgerRequest(alice, "k", Pay(Account(0), Account(1), 7))));
        await using var session = harness.Sessions.Query(ShardRole.Global);
        var journal = await session.Events.FetchStreamAsync(LedgerJournal.StreamId("main"), token: Ct);
        Assert.Equal(Enumerable.Range(1, journal.Count).Select(i => (long)i), journal.Select(e => e.Version));
        Assert.Equal(journal.Select(e => e.Sequence).Order(), journal.Select(e => e.Sequence));
        var last = journal[^1];
        Assert.Equal(("participant_0", answer.At, answer.JournalVersion), (last.UserName, last.Timestamp, last.Version));
        var posted = Assert.IsType<TransactionPosted>(last.Data);
        Assert.Equal(("k", new Amount(7)), (posted.Id, Assert.Single(posted.Postings).Amount));
        var state = await session.Events.FetchStreamStateAsync(LedgerJournal.StreamId("main"), Ct);
        Assert.Equal(answer.JournalVersion, state!.Version);
    }

    [Fact]
    public async Task Large_batches_leave_the_rows_that_small_ones_leave()
    {
        // Above some hundred rows they are written by COPY.
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync(run: false);
        var opening = FundAsync(ledger, 1_000, 100);
        _ = harness.Run(ledger);
        await opening;
        var verification = await harness.VerifyAsync();
        Assert.Equal(2_001, verification.Events);
        Assert.Equal(2_000, await harness.CountAsync("select count(*) from ledger_entry"));
    }
}
