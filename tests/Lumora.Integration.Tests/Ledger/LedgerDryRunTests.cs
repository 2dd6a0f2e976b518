using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger;

public sealed class LedgerDryRunTests(TestDatabases databases)
{
    // What a dry run must not change, in one number; now() stands for the moment of the look.
    private const string Everything =
        """
        select hashtextextended(concat(
          (select string_agg(a::text, ';' order by number) from ledger_account a),
          (select string_agg(o::text, ';' order by id) from ledger_outcome o),
          (select string_agg(e::text, ';' order by account, journal_version, line) from ledger_entry e),
          (select string_agg(h::text, ';' order by number) from ledger_hold h),
          (select string_agg(r::text, ';' order by prefix, asset) from ledger_roll_up r),
          (select string_agg(f::text, ';') from ledger_fence f),
          (select count(*) from mt_events), (select last_value from mt_events_sequence)), 0)
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_command_does_what_its_dry_run_said_and_the_dry_run_changes_nothing()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 3, 100);
        var hold = await TriedAsync(harness, ledger, "hold", new HoldFunds(
            "sale", Account(0), new Amount(20), DateTimeOffset.UtcNow.AddDays(1)));
        Assert.Equal(20, hold.Trial.Hold!.Left);
        var number = hold.Posted.JournalVersion;
        var pay = await TriedAsync(harness, ledger, "pay", Pay(Account(0), Account(1), 30));
        Assert.Equal([(-30L, 70L), (30L, 130L)], pay.Trial.Entries.Select(e => (e.Amount, e.Balance)));
        var capture = await TriedAsync(harness, ledger, "capture", new CaptureHold(
            number, [new HoldPayment(ChartOfAccounts.Escrow("purchase_1"), new Amount(5))]));
        Assert.Equal((15, HoldStatus.Open), (capture.Trial.Hold!.Left, capture.Trial.Hold.Status));
        Assert.Null(capture.Trial.Accounts[0].Before);
        Assert.Equal("escrow/purchase_1", capture.Trial.Accounts[0].After.Key.Code);
        await TriedAsync(harness, ledger, "release", new ReleaseHold(number));
        var back = await TriedAsync(harness, ledger, "back", new ReverseTransaction(pay.Posted.JournalVersion, "a mistake"));
        Assert.Equal([Account(0), Account(1)], back.Trial.Accounts.Select(a => a.After.Key.Code));
        await TriedAsync(harness, ledger, "open", new OpenAccount(Account(9)));
        await TriedAsync(harness, ledger, "floor", new ChangeFloor(Account(9), ChartOfAccounts.Lmr, -5, "trust"));
        await TriedAsync(harness, ledger, "freeze", new FreezeAccount(Account(9), ChartOfAccounts.Lmr, "why"));
        await TriedAsync(harness, ledger, "thaw", new UnfreezeAccount(Account(9), ChartOfAccounts.Lmr, "why"));
        await TriedAsync(harness, ledger, "close", new CloseAccount(Account(9), ChartOfAccounts.Lmr, "why"));
    }

    [Fact]
    public async Task Refusals_replays_and_conflicts_are_told_as_the_ledger_would_and_not_recorded()
    {
        await using var harness = await StartAsync(databases);
        var ledger = await harness.WriterAsync();
        await FundAsync(ledger, 2, 100);
        var poor = await TryAsync(harness, "too-much", Pay(Account(0), Account(1), 101));
        Assert.Equal(LedgerCodes.InsufficientFunds, CodeOf(poor.Outcome));
        Assert.IsType<TransactionRejected>(poor.Event);
        Assert.Empty(poor.Accounts);
        var misshapen = await TryAsync(harness, "shape", Pay(Account(0), Account(0), 1));
        Assert.Equal(LedgerCodes.SameAccount, CodeOf(misshapen.Outcome));
        Assert.Null(misshapen.Event);
        Assert.Equal(
            LedgerCodes.IdempotencyConflict, CodeOf((await TryAsync(harness, "fund-0", Pay(Account(0), Account(1), 1))).Outcome));
        var again = await TryAsync(harness, "fund-0", Pay(ChartOfAccounts.Emission, Account(0), 100));
        Assert.True(Assert.IsType<LedgerOutcome.Posted>(again.Outcome).Replayed);
        Assert.Empty(again.Entries);
        Assert.Equal(LedgerCodes.UnknownHold, CodeOf((await TryAsync(harness, "none", new ReleaseHold(1))).Outcome));
        Assert.Equal(
            LedgerCodes.UnknownTransaction, CodeOf((await TryAsync(harness, "none", new ReverseTransaction(1, "why"))).Outcome));
        Assert.Equal(100, await harness.BalanceAsync(Account(0)));
    }

    [Fact]
    public async Task A_companion_that_is_not_where_the_caller_believes_is_a_conflict_without_a_lock()
    {
        await using var harness = await StartAsync(databases);
        await FundAsync(await harness.WriterAsync(), 2, 100);
        var companion = new CompanionEvents("purchase/1", typeof(Lumora.Domain.Purchases.Purchase), 3, [new object()]);
        var request = Request("with", Pay(Account(0), Account(1), 1)) with { Companion = companion };
        Assert.Equal(
            LedgerCodes.CompanionConflict, CodeOf((await harness.DryRun.TryAsync(ShardRole.Global, request, Ct)).Outcome));
        var starting = request with { Companion = companion with { ExpectedVersion = null } };
        Assert.IsType<LedgerOutcome.Posted>((await harness.DryRun.TryAsync(ShardRole.Global, starting, Ct)).Outcome);
    }

    [Fact]
    public async Task A_shard_without_a_journal_yet_answers_like_an_empty_one()
    {
        await using var harness = await StartAsync(databases);
        var trial = await TryAsync(harness, "first", new OpenAccount(Account(0)));
        Assert.Equal(1, Assert.IsType<LedgerOutcome.Posted>(trial.Outcome).JournalVersion);
        await harness.WriterAsync();
    }

    private static async Task<(LedgerTrial Trial, LedgerOutcome.Posted Posted)> TriedAsync(
        LedgerHarness harness, ILedger ledger, string key, LedgerCommand command)
    {
        var before = await harness.CountAsync(Everything);
        var trial = await TryAsync(harness, key, command);
        Assert.Equal(before, await harness.CountAsync(Everything));

        var posted = Assert.IsType<LedgerOutcome.Posted>(await ledger.AskAsync(Request(key, command)));
        var foreseen = Assert.IsType<LedgerOutcome.Posted>(trial.Outcome);
        Assert.Equal((posted.TransactionId, posted.JournalVersion), (foreseen.TransactionId, foreseen.JournalVersion));
        foreach (var account in trial.Accounts)
            Assert.Equal(account.After, await harness.Queries.AccountAsync(
                ShardRole.Global, account.After.Key.Code, account.After.Key.Asset, Ct));
        if (trial.Hold is { } hold)
            Assert.Equal(hold, await harness.Holds.HoldAsync(ShardRole.Global, hold.Number, Ct));
        return (trial, posted);
    }

    private static Task<LedgerTrial> TryAsync(LedgerHarness harness, string key, LedgerCommand command) =>
        harness.DryRun.TryAsync(ShardRole.Global, Request(key, command), Ct);

    private static string CodeOf(LedgerOutcome outcome) => Assert.IsType<LedgerOutcome.Refused>(outcome).Rejection.Code;
}
