using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

public sealed class LedgerDeciderTests
{
    private static readonly Actor Network = Actor.System("test");
    private static readonly Actor Alice = new("participant_a", Roles.Consumer);
    private static readonly Actor Steward = new("participant_s", Roles.Steward);
    private readonly LedgerBook _book = new();

    public LedgerDeciderTests()
    {
        foreach (var code in (string[])[ChartOfAccounts.Emission, ChartOfAccounts.Fees, "participant/a/available", "participant/b/available"])
            _book.Accepts(Network, new OpenAccount(code));
    }

    [Fact]
    public void A_transaction_moves_all_postings_and_keeps_the_sum_at_zero()
    {
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "participant/a/available", 100));
        _book.Accepts(Alice, new PostTransaction("split",
        [
            new Posting("participant/a/available", "participant/b/available", new Amount(60)),
            new Posting("participant/a/available", ChartOfAccounts.Fees, new Amount(40)),
        ]));
        Assert.Equal(0, _book.Balance("participant/a/available"));
        Assert.Equal(60, _book.Balance("participant/b/available"));
        Assert.Equal(0, _book.Sum());
    }

    [Fact]
    public void Floors_are_checked_after_the_last_posting_only()
    {
        _book.Accepts(Network, new PostTransaction("through",
        [
            new Posting("participant/a/available", "participant/b/available", new Amount(5)),
            new Posting(ChartOfAccounts.Emission, "participant/a/available", new Amount(5)),
        ]));
        Assert.Equal(5, _book.Balance("participant/b/available"));
    }

    [Fact]
    public void A_refusal_for_lack_of_funds_moves_nothing_and_is_given_again_after_money_came()
    {
        var request = new LedgerRequest(Alice, "k", Pay("participant/a/available", "participant/b/available", 1));
        var first = Assert.IsType<LedgerOutcome.Refused>(_book.Submit(request));
        Assert.Equal(LedgerCodes.InsufficientFunds, first.Rejection.Code);
        Assert.Equal("postings[0].amount", first.Rejection.Field);
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "participant/a/available", 100));
        Assert.Equal(first with { Replayed = true }, _book.Submit(request));
        Assert.Equal(0, _book.Balance("participant/b/available"));
    }

    [Fact]
    public void An_equal_request_has_one_effect_and_the_first_answer()
    {
        var request = new LedgerRequest(Network, "k", Pay(ChartOfAccounts.Emission, "participant/a/available", 7));
        var first = Assert.IsType<LedgerOutcome.Posted>(_book.Submit(request));
        Assert.False(first.Replayed);
        Assert.Equal(first with { Replayed = true }, _book.Submit(request));
        Assert.Equal(7, _book.Balance("participant/a/available"));
    }

    [Theory]
    [InlineData("kind")]
    [InlineData("postings")]
    [InlineData("reference")]
    [InlineData("metadata")]
    public void Another_content_under_a_used_key_is_a_conflict_that_names_the_field(string field)
    {
        var first = Pay(ChartOfAccounts.Emission, "participant/a/available", 7) with
        {
            Reference = new TransactionReference("test", "1"),
            Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "b" },
        };
        _book.Submit(new LedgerRequest(Network, "k", first));
        var other = field switch
        {
            "kind" => first with { Kind = "other" },
            "postings" => first with { Postings = [first.Postings[0] with { Amount = new Amount(8) }] },
            "reference" => first with { Reference = new TransactionReference("test", "2") },
            _ => first with { Metadata = null },
        };
        var refused = Assert.IsType<LedgerOutcome.Refused>(_book.Submit(new LedgerRequest(Network, "k", other)));
        Assert.Equal(LedgerCodes.IdempotencyConflict, refused.Rejection.Code);
        Assert.Equal(field, refused.Rejection.Field);
        Assert.Equal(7, _book.Balance("participant/a/available"));
    }

    [Fact]
    public void The_same_key_of_another_actor_is_another_request()
    {
        _book.Submit(new LedgerRequest(Network, "k", Pay(ChartOfAccounts.Emission, "participant/a/available", 7)));
        var other = _book.Submit(new LedgerRequest(
            Actor.System("other"), "k", Pay(ChartOfAccounts.Emission, "participant/a/available", 9)));
        Assert.IsType<LedgerOutcome.Posted>(other);
        Assert.Equal(16, _book.Balance("participant/a/available"));
    }

    [Fact]
    public void An_escrow_opens_with_its_first_posting_and_no_other_account_does()
    {
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "escrow/p1", 7));
        Assert.Equal(7, _book.Balance("escrow/p1"));
        _book.Refuses(Network, Pay(ChartOfAccounts.Emission, "participant/new/available", 7), LedgerCodes.UnknownAccount);
        _book.Refuses(Network, Pay("escrow/p2", ChartOfAccounts.Fees, 7), LedgerCodes.UnknownAccount);
    }

    [Fact]
    public void The_network_pays_a_frozen_or_closed_payee_into_suspense_and_a_person_is_told()
    {
        _book.Accepts(Steward, new FreezeAccount("participant/b/available", ChartOfAccounts.Lmr, "inquiry"));
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "participant/b/available", 7));
        Assert.Equal(0, _book.Balance("participant/b/available"));
        Assert.Equal(7, _book.Balance("suspense/participant/b/available"));
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "participant/a/available", 7));
        _book.Refuses(Alice, Pay("participant/a/available", "participant/b/available", 1), LedgerCodes.AccountFrozen);
        _book.Accepts(Steward, new UnfreezeAccount("participant/b/available", ChartOfAccounts.Lmr, "cleared"));
        _book.Accepts(Steward, new CloseAccount("participant/b/available", ChartOfAccounts.Lmr, "left"));
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "participant/b/available", 3));
        Assert.Equal(10, _book.Balance("suspense/participant/b/available"));
        Assert.Equal(0, _book.Sum());
    }

    [Fact]
    public void A_frozen_payer_pays_nobody()
    {
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "participant/a/available", 7));
        _book.Accepts(Steward, new FreezeAccount("participant/a/available", ChartOfAccounts.Lmr, "inquiry"));
        _book.Refuses(Alice, Pay("participant/a/available", "participant/b/available", 1), LedgerCodes.AccountFrozen);
    }

    [Fact]
    public void Only_an_empty_account_closes_and_a_closed_one_stays_closed()
    {
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "participant/a/available", 7));
        _book.Refuses(Steward, new CloseAccount("participant/a/available", ChartOfAccounts.Lmr, "x"), LedgerCodes.AccountNotEmpty);
        _book.Accepts(Steward, new CloseAccount("participant/b/available", ChartOfAccounts.Lmr, "x"));
        _book.Refuses(Steward, new FreezeAccount("participant/b/available", ChartOfAccounts.Lmr, "x"), LedgerCodes.AccountClosed);
    }

    [Fact]
    public void A_floor_may_go_down_and_up_to_the_balance_but_not_above()
    {
        _book.Accepts(Steward, new ChangeFloor("participant/a/available", ChartOfAccounts.Lmr, -5, "credit"));
        _book.Accepts(Alice, Pay("participant/a/available", "participant/b/available", 5));
        _book.Refuses(Alice, Pay("participant/a/available", "participant/b/available", 1), LedgerCodes.InsufficientFunds);
        _book.Refuses(Steward, new ChangeFloor("participant/a/available", ChartOfAccounts.Lmr, -4, "x"), LedgerCodes.InsufficientFunds);
    }

    [Fact]
    public void The_border_of_64_bits_is_reached_exactly_and_not_crossed()
    {
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "participant/a/available", long.MaxValue));
        Assert.Equal(long.MaxValue, _book.Balance("participant/a/available"));
        Assert.Equal(-long.MaxValue, _book.Balance(ChartOfAccounts.Emission));
        _book.Refuses(Network, Pay(ChartOfAccounts.Emission, "participant/a/available", 1), LedgerCodes.Overflow);
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "participant/b/available", 1));
        Assert.Equal(long.MinValue, _book.Balance(ChartOfAccounts.Emission));
        _book.Refuses(Network, Pay(ChartOfAccounts.Emission, "participant/b/available", 1), LedgerCodes.Overflow);
        _book.Accepts(Alice, Pay("participant/a/available", ChartOfAccounts.Emission, long.MaxValue));
        Assert.Equal(0, _book.Sum());
    }

    [Fact]
    public void A_companion_on_a_moved_stream_refuses_its_own_request_and_is_not_recorded()
    {
        var request = new LedgerRequest(
            Network, "k", Pay(ChartOfAccounts.Emission, "participant/a/available", 7),
            new CompanionEvents("purchase/1", typeof(object), 3, ["event"]));
        _book.State.LoadStream("purchase/1", 4);
        var refused = Assert.IsType<LedgerOutcome.Refused>(_book.Submit(request));
        Assert.Equal(LedgerCodes.CompanionConflict, refused.Rejection.Code);
        var again = request with { Companion = request.Companion! with { ExpectedVersion = 4 } };
        Assert.IsType<LedgerOutcome.Posted>(_book.Submit(again));
        Assert.Equal(5, _book.State.StreamVersion("purchase/1"));
    }

    [Fact]
    public void A_refused_call_is_refused_for_the_same_reason_again_though_another_of_its_requests_would_fail_by_now()
    {
        _book.Accepts(Network, Pay(ChartOfAccounts.Emission, "participant/a/available", 100));
        LedgerRequest[] call =
        [
            new(Alice, "k1", Pay("participant/a/available", "participant/b/available", 60)),
            new(Alice, "k2", Pay("participant/b/available", "participant/nobody/available", 1)),
        ];
        Assert.Equal(
            [(LedgerCodes.BulkRefused, false), (LedgerCodes.UnknownAccount, false)], _book.SubmitAll(call).Select(LedgerBook.CodeOf));
        _book.Accepts(Alice, Pay("participant/a/available", "participant/b/available", 80));
        var version = _book.State.Version;
        Assert.Equal(
            [(LedgerCodes.BulkRefused, false), (LedgerCodes.UnknownAccount, true)], _book.SubmitAll(call).Select(LedgerBook.CodeOf));
        Assert.Equal(version, _book.State.Version);

        // Nor is it refused for what was recorded later, when that is asked alone.
        Assert.Equal((LedgerCodes.InsufficientFunds, false), LedgerBook.CodeOf(_book.Submit(call[0])));
        Assert.Equal(
            [(LedgerCodes.BulkRefused, false), (LedgerCodes.UnknownAccount, true)], _book.SubmitAll(call).Select(LedgerBook.CodeOf));
    }

    [Fact]
    public void The_ledgers_time_never_falls_when_the_clock_does()
    {
        var early = LedgerBook.Start;
        var request = new LedgerRequest(Network, "k", Pay(ChartOfAccounts.Emission, "participant/a/available", 7));
        _book.Submit(request, early.AddHours(2));
        var second = Assert.IsType<LedgerOutcome.Posted>(_book.Submit(request with { Key = "k2" }, early));
        Assert.Equal(early.AddHours(2), second.At);
    }

    private static PostTransaction Pay(string from, string to, long amount) =>
        new("test", [new Posting(from, to, new Amount(amount))]);
}
