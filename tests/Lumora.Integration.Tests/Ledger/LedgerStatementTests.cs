using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>Statements, holds, sums and searches over one small story: payments, a hold, captures, a reversal.</summary>
public sealed class LedgerStatementTests(TestDatabases databases)
{
    private static readonly TransactionReference Purchase = new("purchase", "purchase_1");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_statement_shows_payments_captures_and_reversals_with_the_other_side()
    {
        await using var harness = await StartAsync(databases);
        await TellAsync(await harness.WriterAsync());
        var lines = await LinesAsync(harness, Account(0), new JournalRange(9, OldestFirst: true));
        Assert.Equal(
            [("fund-0", "test", 100L, 100L), ("pay", "test", -30, 70), ("capture", "sale", -15, 55), ("back", "reversal", 30, 85)],
            lines.Select(line => (line.Transaction.Id, line.Transaction.Kind, line.Amount, line.Balance)));
        Assert.Equal(
            [typeof(TransactionPosted), typeof(TransactionPosted), typeof(HoldCaptured), typeof(TransactionReversed)],
            lines.Select(line => line.Transaction.Event.GetType()));
        var account = new AccountKey(Account(0), ChartOfAccounts.Lmr);
        Assert.Equal([(Account(1), -10), (Account(2), -5)], lines[2].CounterpartiesOf(account));
        Assert.Equal([(Account(1), 30)], lines[3].CounterpartiesOf(account));
        Assert.Equal(Purchase, lines[2].Transaction.Reference);

        Assert.Equal(
            lines.Reverse(), await harness.Statements.TransactionsAsync(
                ShardRole.Global, Account(0), ChartOfAccounts.Lmr, new JournalRange(9), Ct), LineComparer);
    }

    [Fact]
    public async Task Periods_join_up_and_each_closes_with_what_its_lines_add_to_its_opening()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        var story = await TellAsync(ledger);
        var middle = story["capture"].At;
        var (first, second) = (await FindAsync(harness, null, middle), await FindAsync(harness, middle, null));
        Assert.Equal((0, 70), (first.Opening, first.Closing));
        Assert.Equal((70, 85), (second.Opening, second.Closing));
        Assert.Equal(first.UpTo, second.Above);
        foreach (var statement in (AccountStatement[])[first, second])
        {
            var lines = await harness.Statements.LinesAsync(ShardRole.Global, statement, new JournalRange(9), Ct);
            Assert.Equal(2, lines.Count);
            Assert.Equal(statement.Closing - statement.Opening, lines.Sum(line => line.Amount));
        }

        // What happens later is not in a statement that was asked for before.
        await ledger.AskAsync(Request("later", Pay(Account(0), Account(1), 1)));
        Assert.Equal(2, (await harness.Statements.LinesAsync(ShardRole.Global, second, new JournalRange(9), Ct)).Count);
        var empty = await FindAsync(harness, DateTimeOffset.UtcNow.AddDays(1), null);
        Assert.Equal((84, 84), (empty.Opening, empty.Closing));
        Assert.Empty(await harness.Statements.LinesAsync(ShardRole.Global, empty, new JournalRange(9), Ct));
        Assert.Null(await harness.Statements.FindAsync(ShardRole.Global, Account(9), ChartOfAccounts.Lmr, null, null, Ct));
    }

    [Fact]
    public async Task Holds_are_found_by_number_account_and_status_newest_first()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        var story = await TellAsync(ledger);
        var open = Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Request("hold-2", Hold(7)))).JournalVersion;
        var captured = story["hold"].JournalVersion;

        Assert.Equal([open, captured], await HoldsAsync(harness, null, new JournalRange(9)));
        Assert.Equal([captured], await HoldsAsync(harness, null, new JournalRange(9, Below: open)));
        Assert.Equal([captured], await HoldsAsync(harness, null, new JournalRange(1, OldestFirst: true)));
        Assert.Equal([open], await HoldsAsync(harness, HoldStatus.Open, new JournalRange(9)));
        Assert.Equal([captured], await HoldsAsync(harness, HoldStatus.Captured, new JournalRange(9)));
        Assert.Empty(await HoldsAsync(harness, HoldStatus.Expired, new JournalRange(9)));

        var hold = (await harness.Holds.HoldAsync(ShardRole.Global, captured, Ct))!;
        Assert.Equal((20, 0, 15, HoldStatus.Captured), (hold.Amount, hold.Left, hold.Captured, hold.Status));
        Assert.Null(await harness.Holds.HoldAsync(ShardRole.Global, captured + 1, Ct));
    }

    [Fact]
    public async Task Sums_by_prefix_are_those_of_the_accounts_whatever_way_they_are_made()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await TellAsync(ledger);
        await ledger.AskAsync(Request("hold-2", Hold(7)));
        // A code that stands between "participant/0" and what is below it, and must not count there.
        await ledger.AskAsync(Request("open-0-1", new OpenAccount("participant/0-1/available")));
        await ledger.AskAsync(Request("fund-0-1", Pay(ChartOfAccounts.Emission, "participant/0-1/available", 1_000)));

        Assert.Equal((4, 1_300, 7), await SumAsync(harness, "participant"));
        Assert.Equal((1, 85, 7), await SumAsync(harness, "participant/0"));
        Assert.Equal((1, 85, 7), await SumAsync(harness, Account(0)));
        Assert.Equal((1, -1_300, 0), await SumAsync(harness, "network"));
        Assert.Equal((1, -1_300, 0), await SumAsync(harness, ChartOfAccounts.Emission));
        Assert.Equal((0, 0, 0), await SumAsync(harness, "escrow"));
        Assert.Equal((0, 0, 0), await SumAsync(harness, "participant/77"));
        Assert.Equal(0, (await harness.RollUps.SumAsync(ShardRole.Global, "participant", "GOLD", Ct)).Accounts);

        Assert.Equal(
            [new TrialBalanceLine("network/emission", "LMR", 1, -1_300), new TrialBalanceLine("participant", "LMR", 4, 1_300)],
            await harness.RollUps.TrialBalanceAsync(ShardRole.Global, Ct));
    }

    [Fact]
    public async Task Searches_by_reference_kind_time_and_actor_agree_with_each_other()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        var story = await TellAsync(ledger);
        Assert.Equal(["capture", "hold"], await IdsAsync(harness, new TransactionFilter(Purchase)));
        Assert.Equal(["capture", "hold"], await IdsAsync(harness, new TransactionFilter(Purchase, "sale", Actor: Network.Id)));
        Assert.Empty(await IdsAsync(harness, new TransactionFilter(Purchase, "test")));
        Assert.Empty(await IdsAsync(harness, new TransactionFilter(Purchase, Actor: "somebody")));
        Assert.Equal(["back"], await IdsAsync(harness, new TransactionFilter(Kind: "reversal")));
        Assert.Equal(
            ["back", "capture"], await IdsAsync(harness, new TransactionFilter(From: story["capture"].At)));
        Assert.Equal(["hold", "pay"], await IdsAsync(harness, new TransactionFilter(
            From: story["pay"].At, To: story["capture"].At, Actor: Network.Id)));
        Assert.Equal(
            ["capture"], await IdsAsync(harness, new TransactionFilter(Purchase, Participates: "participant/2")));
        Assert.Empty(await IdsAsync(harness, new TransactionFilter(Purchase, Participates: "participant/20")));

        var all = await harness.Search.FindAsync(ShardRole.Global, new TransactionFilter(), new JournalRange(99), Ct);
        Assert.Equal(7, all.Transactions.Count);
        Assert.Null(all.SearchedTo);
        var oldest = await harness.Search.FindAsync(
            ShardRole.Global, new TransactionFilter(Kind: "test"), new JournalRange(2, OldestFirst: true), Ct);
        Assert.Equal(["fund-0", "fund-1"], oldest.Transactions.Select(t => t.Id));

        var found = (await harness.Search.TransactionAsync(ShardRole.Global, story["back"].JournalVersion, Ct))!;
        Assert.Equal(found.JournalVersion, (await harness.Search.TransactionAsync(ShardRole.Global, Network.Id, "back", Ct))!.JournalVersion);
        Assert.Equal(new Posting(Account(1), Account(0), new Amount(30)), Assert.Single(found.Postings));
        Assert.Null(await harness.Search.TransactionAsync(ShardRole.Global, 1, Ct));
        Assert.Null(await harness.Search.TransactionAsync(ShardRole.Global, Network.Id, "open-0", Ct));
    }

    private static IEqualityComparer<AccountTransaction> LineComparer { get; } =
        EqualityComparer<AccountTransaction>.Create((a, b) =>
            (a!.Transaction.JournalVersion, a.Amount, a.Balance) == (b!.Transaction.JournalVersion, b.Amount, b.Balance));

    private static HoldFunds Hold(long units) =>
        new("sale", Account(0), new Amount(units), DateTimeOffset.UtcNow.AddDays(1), Purchase);

    /// <summary>Three accounts of 100; account 0 pays 30 to 1, which go back, and 15 of a hold of 20 to 1 and 2.</summary>
    private static async Task<Dictionary<string, LedgerOutcome.Posted>> TellAsync(ILedger ledger)
    {
        var story = new Dictionary<string, LedgerOutcome.Posted>(StringComparer.Ordinal);
        await FundAsync(ledger, 3, 100);
        await TellAsync("pay", Pay(Account(0), Account(1), 30));
        await TellAsync("hold", Hold(20));
        await TellAsync("capture", new CaptureHold(
            story["hold"].JournalVersion,
            [new HoldPayment(Account(1), new Amount(10)), new HoldPayment(Account(2), new Amount(5))], Finish: true));
        await TellAsync("back", new ReverseTransaction(story["pay"].JournalVersion, "a mistake"));
        return story;

        async Task TellAsync(string key, LedgerCommand command) =>
            story[key] = Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Request(key, command)));
    }

    private static async Task<AccountStatement> FindAsync(LedgerHarness harness, DateTimeOffset? from, DateTimeOffset? to) =>
        (await harness.Statements.FindAsync(ShardRole.Global, Account(0), ChartOfAccounts.Lmr, from, to, Ct))!;

    private static async Task<IReadOnlyList<AccountTransaction>> LinesAsync(
        LedgerHarness harness, string code, JournalRange range)
    {
        var statement = await harness.Statements.FindAsync(ShardRole.Global, code, ChartOfAccounts.Lmr, null, null, Ct);
        return await harness.Statements.LinesAsync(ShardRole.Global, statement!, range, Ct);
    }

    private static async Task<IEnumerable<long>> HoldsAsync(LedgerHarness harness, HoldStatus? status, JournalRange range) =>
        (await harness.Holds.HoldsAsync(ShardRole.Global, Account(0), ChartOfAccounts.Lmr, status, range, Ct))
            .Select(hold => hold.Number);

    private static async Task<(long Accounts, Int128 Balance, Int128 Held)> SumAsync(LedgerHarness harness, string prefix)
    {
        var sum = await harness.RollUps.SumAsync(ShardRole.Global, prefix, ChartOfAccounts.Lmr, Ct);
        return (sum.Accounts, sum.Balance, sum.Held);
    }

    private static async Task<IEnumerable<string>> IdsAsync(LedgerHarness harness, TransactionFilter filter) =>
        (await harness.Search.FindAsync(ShardRole.Global, filter, new JournalRange(99), Ct)).Transactions.Select(t => t.Id);
}
