using System.Globalization;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>
/// Every query of the ledger's reads on 1,000,000 rows: no table is read from end to end, and few pages are touched, with the
/// values known to the planner and without. What is explained is what the code runs.
/// </summary>
public sealed class LedgerPlanTests(LedgerMillion million) : IClassFixture<LedgerMillion>
{
    private const string Shard = "main";
    private const string Lmr = ChartOfAccounts.Lmr;
    private const string Hot = ChartOfAccounts.Emission;
    private static readonly JournalRange Newest = new(101);
    private static readonly JournalRange Oldest = new(101, OldestFirst: true);
    private static readonly JournalRange Middle = new(101, Above: LedgerMillion.Payments / 4, Below: LedgerMillion.Payments / 2);
    private static readonly DateTimeOffset Noon = LedgerMillion.Start.AddSeconds(LedgerMillion.Payments / 200);

    // As many as a pass of 30,000 events has.
    private static readonly Guid[] PassKeys =
        [.. Enumerable.Range(0, 30_000).Select(i => OutcomeId.Of("system:test", string.Create(CultureInfo.InvariantCulture, $"pay-{i}")))];

    private static readonly long[] PassAccounts = [.. Enumerable.Range(1, 10_000).Select(i => (long)i)];

    // Pages touched: a descent of an index is 3 to 5, a row of a page of a list 1 to 5.
    private static readonly Dictionary<string, (SqlQuery Query, long BuffersMax)> Queries = new(StringComparer.Ordinal)
    {
        ["account"] = (LedgerQueries.Account(LedgerMillion.Payee(7), Lmr), 10),
        ["outcome"] = (LedgerQueries.Outcome("system:test", "pay-1"), 10),
        ["balance of a hot account at a time"] = (LedgerQueries.BalanceAt(Hot, Lmr, Noon), 30),
        ["balance of a hot account at a place"] = (LedgerQueries.BalanceAt(Shard, Hot, Lmr, 77_777), 30),
        ["balance of an account without an entry"] = (LedgerQueries.BalanceAt(LedgerMillion.Payee(5_000), Lmr, Noon), 30),
        ["accounts, first page"] = (LedgerQueries.Accounts("participant", Lmr, new CodeRange(101)), 200),
        ["accounts, in the middle"] = (
            LedgerQueries.Accounts("participant", Lmr, new CodeRange(101, After: LedgerMillion.Payee(400_000))), 200),
        ["accounts, backwards"] = (
            LedgerQueries.Accounts("participant", Lmr, new CodeRange(101, Before: LedgerMillion.Payee(400_000), LastFirst: true)), 200),
        ["accounts below one participant"] = (
            LedgerQueries.Accounts("participant/participant_00000009", Lmr, new CodeRange(101)), 20),
        ["accounts of a rare asset"] = (LedgerQueries.Accounts("participant", LedgerMillion.RareAsset, new CodeRange(101)), 30),
        ["accounts of a rare asset, backwards"] = (
            LedgerQueries.Accounts("participant", LedgerMillion.RareAsset, new CodeRange(101, LastFirst: true)), 30),
        ["statement"] = (LedgerStatements.Statement(Hot, Lmr, Noon, null), 40),
        ["statement of a quiet account"] = (LedgerStatements.Statement(LedgerMillion.Payee(5_000), Lmr, null, Noon), 40),
        ["lines of a hot account"] = (LedgerStatements.Lines(Shard, 1, Newest), 700),
        ["lines of a hot account, oldest first"] = (LedgerStatements.Lines(Shard, 1, Oldest), 700),
        ["lines of a hot account, in the middle"] = (LedgerStatements.Lines(Shard, 1, Middle), 700),
        ["lines of an account"] = (LedgerStatements.Lines(Shard, 9, Newest), 700),
        ["lines of a quiet account"] = (LedgerStatements.Lines(Shard, 5_000, Newest), 20),
        ["holds that are due"] = (DueHolds.Due(Shard, null, LedgerMillion.DueAt.AddDays(1), 500), 60),
        ["holds that are due, in the midst of those of one moment"] = (
            DueHolds.Due(Shard, new DueHold(LedgerMillion.Rows / 5, LedgerMillion.DueAt), LedgerMillion.DueAt.AddDays(1), 500), 60),
        ["holds that are due where none is"] = (DueHolds.Due(Shard, null, LedgerMillion.DueAt.AddDays(-1), 500), 10),
        ["hold"] = (LedgerHoldQueries.Hold(4_000), 20),
        ["holds of a hot account"] = (LedgerHoldQueries.Holds(Hot, Lmr, null, Newest), 700),
        ["holds of an account without any"] = (LedgerHoldQueries.Holds(LedgerMillion.Payee(5_000), Lmr, null, Newest), 40),
        ["open holds among finished ones"] = (LedgerHoldQueries.Holds(Hot, Lmr, HoldStatus.Open, Oldest), 150),
        ["sum of a family"] = (LedgerRollUpQueries.Sum("participant", Lmr), 10),
        ["sum of a participant"] = (LedgerRollUpQueries.Sum("participant/participant_00000009", Lmr), 20),
        ["trial balance"] = (LedgerRollUpQueries.TrialBalance(), 20),
        ["transaction by place"] = (LedgerSearch.Transaction(Shard, 123_456), 10),
        ["period"] = (LedgerSearch.Period(new TransactionFilter(From: Noon)), 20),
        ["search by reference"] = (Find(new(new("purchase", "1234"))), 100),
        ["search by a reference of very many"] = (Find(new(new("epoch", "1"))), 700),
        ["search by kind"] = (Find(new(Kind: "refund")), 700),
        ["search by kind, oldest first"] = (Find(new(Kind: "reward"), Oldest), 700),
        ["search by kind in a part of the journal"] = (Find(new(Kind: "sale"), Middle), 700),
        ["search by reference and kind"] = (Find(new(new("purchase", "1234"), "reward")), 100),
        ["search by a reference of very many and a kind of none of them"] = (Find(new(new("epoch", "1"), "sale")), 2_500),
        ["search by a reference of very many and their kind, oldest first"] = (Find(new(new("epoch", "1"), "reward"), Oldest), 1_500),
        ["search by time alone"] = (Walk(new(), Middle), 200),
        ["search for what a participant did in an epoch"] = (
            Find(new(new("epoch", "1"), Participates: "participant/participant_00000011")), 10_000),
        ["search by actor where nobody is found"] = (Walk(new(Actor: "nobody"), Newest with { Below = LedgerMillion.Payments }), 3_000),
        ["search by actor and kind"] = (Find(new(Kind: "refund", Actor: "system:test")), 10_000),
        ["outcomes of a reconciling pass"] = (new SqlQuery(DerivedHistory.OutcomesSql, PassKeys), 6 * PassKeys.Length),
        ["entries of a reconciling pass"] = (
            new SqlQuery(DerivedHistory.EntriesSql, PassAccounts, LedgerMillion.Payments - 1_000, LedgerMillion.Payments), 8 * PassAccounts.Length),
        ["search by actor and kind where nobody is found"] = (Find(new(Kind: "reward", Actor: "nobody")), 10_000),
    };

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var name in Queries.Keys)
            {
                cases.Add(name, "force_custom_plan");
                cases.Add(name, "force_generic_plan");
            }

            return cases;
        }
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_query_reads_an_index_and_few_pages(string name, string mode)
    {
        var (query, buffersMax) = Queries[name];
        var plan = await ExplainedPlan.OfAsync(million.Source, query, mode, Ct);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{name}, {mode}: {plan.Buffers} pages, {plan.Rows} rows, {plan.Milliseconds} ms; {string.Join(", ", plan.Scans)}");
        Assert.DoesNotContain(plan.Scans, IsFull);
        Assert.True(plan.Buffers <= buffersMax, $"{plan.Buffers} pages, {buffersMax} at most: {plan.Text}");
    }

    [Fact]
    public async Task What_the_queries_find_is_what_stands_there()
    {
        var queries = new LedgerQueries(million.Sessions);
        var balance = await queries.BalanceAsync(ShardRole.Global, Hot, Lmr, 77_777, Ct);
        Assert.Equal((-77_777, 77_777, 77_777), (balance!.Balance, balance.JournalVersion, balance.LastEntry!.Value));
        var atNoon = await queries.BalanceAsync(ShardRole.Global, Hot, Lmr, Noon, Ct);
        Assert.Equal(-atNoon!.JournalVersion, atNoon.Balance);

        var search = new LedgerSearch(million.Sessions);
        var nobody = await search.FindAsync(ShardRole.Global, new TransactionFilter(Actor: "nobody"), Newest, Ct);
        Assert.Empty(nobody.Transactions);
        Assert.Equal(LedgerMillion.Rows - LedgerSearch.WalkedMax + 1, nobody.SearchedTo);
        var purchase = await search.FindAsync(
            ShardRole.Global, new TransactionFilter(new TransactionReference("purchase", "1234")), Newest, Ct);
        Assert.Equal((9, null), (purchase.Transactions.Count, purchase.SearchedTo));
        // Two kinds of thousands each that have nothing in common: the search says how far it got.
        var none = await search.FindAsync(
            ShardRole.Global, new TransactionFilter(new TransactionReference("epoch", "1"), "sale"), Newest, Ct);
        Assert.Empty(none.Transactions);
        Assert.Equal(LedgerMillion.Payments - 9 - 10 * (LedgerSearch.LookedUpMax - 1), none.SearchedTo);
        var rewards = await search.FindAsync(
            ShardRole.Global, new TransactionFilter(new TransactionReference("purchase", "1234"), "reward"), Newest, Ct);
        Assert.Equal((8, null), (rewards.Transactions.Count, rewards.SearchedTo));
        Assert.All(rewards.Transactions, transaction => Assert.Equal("reward", transaction.Kind));

        var due = new DueHolds(million.Sessions);
        var first = await due.AfterAsync(ShardRole.Global, null, LedgerMillion.DueAt.AddDays(1), 500, Ct);
        var second = await due.AfterAsync(ShardRole.Global, first[^1], LedgerMillion.DueAt.AddDays(1), 500, Ct);
        Assert.Equal(Enumerable.Range(1, 1_000).Select(i => i * 4L + 2), first.Concat(second).Select(hold => hold.Number));
        Assert.Equal(9, (await queries.AccountsAsync(ShardRole.Global, "participant", LedgerMillion.RareAsset, new CodeRange(101), Ct)).Count);
        var sum = await new LedgerRollUpQueries(million.Sessions).SumAsync(ShardRole.Global, "participant", Lmr, Ct);
        Assert.Equal(LedgerMillion.Rows - 1, sum.Accounts);
    }

    private static SqlQuery Find(TransactionFilter filter, JournalRange? range = null) =>
        LedgerSearch.LookUp(Shard, filter, range ?? Newest);

    private static SqlQuery Walk(TransactionFilter filter, JournalRange range) =>
        LedgerSearch.Walk(Shard, filter, LedgerSearch.Window(range));

    // The running sums are a handful of rows and the fence is one, which no index would make faster.
    private static bool IsFull(string scan) => scan.StartsWith("Seq Scan", StringComparison.Ordinal)
        && !scan.EndsWith("ledger_roll_up", StringComparison.Ordinal) && !scan.EndsWith("ledger_fence", StringComparison.Ordinal);
}
