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
        Assert.Equal("pay-6", down[0].Transaction.Posted.Id);
        Assert.Equal(Network.Id, down[0].Transaction.Actor);

        var up = await AllAsync(harness, last => new JournalRange(3, Above: last ?? 0, OldestFirst: true));
        Assert.Equal(down.Select(Version).Reverse(), up.Select(Version));

        var between = await ReadAsync(harness, new JournalRange(9, Above: Version(down[3]), Below: Version(down[0])));
        Assert.Equal(["pay-5", "pay-4"], between.Select(row => row.Transaction.Posted.Id));
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
        Assert.Equal("purchase_1", row.Transaction.Posted.Reference!.Id);

        var found = await harness.Queries.TransactionAsync(ShardRole.Global, Network.Id, "both", Ct);
        Assert.Equal(Version(row), found!.JournalVersion);
        Assert.Null(await harness.Queries.TransactionAsync(ShardRole.Global, "somebody", "both", Ct));
    }

    [Fact]
    public async Task An_unknown_account_has_no_rows_and_the_trial_balance_is_zero_in_all()
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 2, 100);
        Assert.Empty(await harness.Queries.TransactionsAsync(
            ShardRole.Global, Account(77), ChartOfAccounts.Lmr, new JournalRange(9), Ct));
        Assert.Equal(
            [new TrialBalanceLine("network/emission", "LMR", 1, -200), new TrialBalanceLine("participant", "LMR", 2, 200)],
            await harness.Queries.TrialBalanceAsync(ShardRole.Global, Ct));
    }

    private static long Version(AccountTransaction row) => row.Transaction.JournalVersion;

    private static Task<IReadOnlyList<AccountTransaction>> ReadAsync(LedgerHarness harness, JournalRange range) =>
        harness.Queries.TransactionsAsync(ShardRole.Global, Account(0), ChartOfAccounts.Lmr, range, Ct);

    private static async Task<List<AccountTransaction>> AllAsync(LedgerHarness harness, Func<long?, JournalRange> next)
    {
        var all = new List<AccountTransaction>();
        while (await ReadAsync(harness, next(all.Count == 0 ? null : Version(all[^1]))) is { Count: > 0 } page)
            all.AddRange(page);
        return all;
    }
}
