using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

public sealed class LedgerQueriesTests(TestDatabases databases)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_of_an_account_cover_it_once_in_both_directions_with_the_running_balance()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 2, 100);
        for (var i = 1; i <= 6; i++)
            await ledger.AskAsync(Request($"pay-{i}", Pay(Account(0), Account(1), i)));

        var down = await AllAsync(harness, last => new JournalRange(2, Below: last ?? long.MaxValue));
        Assert.Equal([-6, -5, -4, -3, -2, -1, 100], down.Select(row => row.Amount));
        Assert.Equal([79, 85, 90, 94, 97, 99, 100], down.Select(row => row.Balance));
        Assert.Equal("pay-6", down[0].Transaction.Id);
        Assert.Equal(Network.Id, down[0].Transaction.Actor);

        var up = await AllAsync(harness, last => new JournalRange(3, Above: last ?? 0, OldestFirst: true));
        Assert.Equal(down.Select(Version).Reverse(), up.Select(Version));

        var between = await ReadAsync(harness, new JournalRange(9, Above: Version(down[3]), Below: Version(down[0])));
        Assert.Equal(["pay-5", "pay-4"], between.Select(row => row.Transaction.Id));
    }

    [Fact]
    public async Task A_transaction_with_several_postings_on_one_account_is_one_row()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 3, 100);
        await ledger.AskAsync(Request("both", new PostTransaction(
            "test",
            [
                new Posting(Account(0), Account(1), new Amount(10)),
                new Posting(Account(2), Account(0), new Amount(4)),
            ],
            new TransactionReference("purchase", "purchase_1"))));
        var row = Assert.Single(await ReadAsync(harness, new JournalRange(1)));
        Assert.Equal((-6, 94), (row.Amount, row.Balance));
        Assert.Equal("purchase_1", row.Transaction.Reference!.Id);

        var found = await harness.Search.TransactionAsync(ShardRole.Global, Network.Id, "both", Ct);
        Assert.Equal(Version(row), found!.JournalVersion);
        Assert.Null(await harness.Search.TransactionAsync(ShardRole.Global, "somebody", "both", Ct));
    }

    [Fact]
    public async Task An_unknown_account_has_no_rows_and_the_trial_balance_is_zero_in_all()
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 2, 100);
        Assert.Empty(await harness.Statements.TransactionsAsync(
            ShardRole.Global, Account(77), ChartOfAccounts.Lmr, new JournalRange(9), Ct));
        Assert.Equal(
            [new TrialBalanceLine("network/emission", "LMR", 1, -200), new TrialBalanceLine("participant", "LMR", 2, 200)],
            await harness.RollUps.TrialBalanceAsync(ShardRole.Global, Ct));
    }

    [Fact]
    public async Task A_balance_at_a_place_or_time_is_the_one_that_stood_there()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 2, 100);
        var opened = await PostedAsync(ledger, "open-late", new OpenAccount(Account(7)));
        var paid = new List<LedgerOutcome.Posted>();
        for (var i = 1; i <= 3; i++)
            paid.Add(await PostedAsync(ledger, $"pay-{i}", Pay(Account(0), Account(7), i)));
        await PostedAsync(ledger, "freeze", new FreezeAccount(Account(7), ChartOfAccounts.Lmr, "why not"));

        foreach (var (outcome, balance) in paid.Zip([1L, 3L, 6L]))
        {
            var atVersion = (await AtAsync(harness, Account(7), outcome.JournalVersion))!;
            Assert.Equal((balance, outcome.JournalVersion, outcome.At), (atVersion.Balance, atVersion.JournalVersion, atVersion.At));
            Assert.Equal(outcome.JournalVersion, atVersion.LastEntry);
            Assert.Equal(atVersion, await harness.Queries.BalanceAsync(
                ShardRole.Global, Account(7), ChartOfAccounts.Lmr, outcome.At, Ct));
        }

        // An account without a recent entry, beyond the journal's end, and before its opening.
        var last = (await AtAsync(harness, Account(1), long.MaxValue))!;
        Assert.Equal((100, paid[^1].JournalVersion + 1), (last.Balance, last.JournalVersion));
        Assert.Equal(0, (await AtAsync(harness, Account(7), opened.JournalVersion))!.Balance);
        Assert.Null((await AtAsync(harness, Account(7), opened.JournalVersion))!.LastEntry);
        Assert.Null(await AtAsync(harness, Account(7), opened.JournalVersion - 1));
        Assert.Null(await AtAsync(harness, Account(99), opened.JournalVersion));
        Assert.Null(await AtAsync(harness, Account(0), 0));
        Assert.Null(await harness.Queries.BalanceAsync(
            ShardRole.Global, Account(0), ChartOfAccounts.Lmr, DateTimeOffset.UnixEpoch, Ct));
        Assert.Null(await harness.Queries.BalanceAsync(
            ShardRole.Global, Account(7), ChartOfAccounts.Lmr, opened.At.AddMicroseconds(-1), Ct));
    }

    [Fact]
    public async Task An_account_opened_by_its_first_posting_is_nothing_before_it()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 1, 100);
        var escrow = ChartOfAccounts.Escrow("purchase_1");
        var paid = await PostedAsync(ledger, "buy", Pay(Account(0), escrow, 9));
        Assert.Equal(9, (await AtAsync(harness, escrow, paid.JournalVersion))!.Balance);
        Assert.Null(await AtAsync(harness, escrow, paid.JournalVersion - 1));
    }

    [Fact]
    public async Task Accounts_below_a_prefix_come_in_the_order_of_their_codes_in_pages_of_both_directions()
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 4, 100);
        Assert.Equal(
            [Account(0), Account(1), Account(2)], await CodesAsync(harness, "participant", new CodeRange(3)));
        Assert.Equal([Account(3)], await CodesAsync(harness, "participant", new CodeRange(3, After: Account(2))));
        Assert.Equal(
            [Account(1), Account(0)],
            await CodesAsync(harness, "participant", new CodeRange(3, Before: Account(2), LastFirst: true)));
        Assert.Equal([Account(2)], await CodesAsync(harness, "participant/2", new CodeRange(3)));
        Assert.Empty(await CodesAsync(harness, "escrow", new CodeRange(3)));
    }

    [Fact]
    public async Task A_second_start_finds_the_schema_as_the_first_left_it()
    {
        await using var harness = await StartAsync(databases);
        await harness.WriterAsync();
        const string Indexes =
            "select sum(oid::bigint) from pg_class where relkind = 'i' and relname similar to '(pk)?[a-z_]*ledger%'";
        var before = await harness.CountAsync(Indexes);
        await harness.AssertSchemaIsStableAsync();
        Assert.Equal(before, await harness.CountAsync(Indexes));
    }

    private static async Task<LedgerOutcome.Posted> PostedAsync(ILedger ledger, string key, LedgerCommand command) =>
        Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Request(key, command)));

    private static Task<AccountBalance?> AtAsync(LedgerHarness harness, string code, long version) =>
        harness.Queries.BalanceAsync(ShardRole.Global, code, ChartOfAccounts.Lmr, version, Ct);

    private static async Task<IEnumerable<string>> CodesAsync(LedgerHarness harness, string prefix, CodeRange range) =>
        (await harness.Queries.AccountsAsync(ShardRole.Global, prefix, ChartOfAccounts.Lmr, range, Ct))
            .Select(account => account.Key.Code);

    private static long Version(AccountTransaction row) => row.Transaction.JournalVersion;

    private static Task<IReadOnlyList<AccountTransaction>> ReadAsync(LedgerHarness harness, JournalRange range) =>
        harness.Statements.TransactionsAsync(ShardRole.Global, Account(0), ChartOfAccounts.Lmr, range, Ct);

    private static async Task<List<AccountTransaction>> AllAsync(LedgerHarness harness, Func<long?, JournalRange> next)
    {
        var all = new List<AccountTransaction>();
        while (await ReadAsync(harness, next(all.Count == 0 ? null : Version(all[^1]))) is { Count: > 0 } page)
            all.AddRange(page);
        return all;
    }
}
