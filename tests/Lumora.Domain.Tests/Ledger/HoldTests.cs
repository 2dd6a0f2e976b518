using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

public sealed class HoldTests
{
    private const string Alice = "participant/a/available";
    private const string Bob = "participant/b/available";
    private static readonly Actor Network = Actor.System("test");
    private static readonly Actor Market = new("participant_m", Roles.None);
    private static readonly DateTimeOffset Deadline = LedgerBook.Start.AddMinutes(10);
    private readonly LedgerBook _book = new();

    public HoldTests()
    {
        foreach (var code in (string[])[ChartOfAccounts.Emission, Alice, Bob])
            _book.Accepts(Network, new OpenAccount(code));
        _book.Accepts(Network, new PostTransaction("fund", [new Posting(ChartOfAccounts.Emission, Alice, new Amount(100))]));
    }

    [Fact]
    public void Held_money_stays_in_the_account_and_cannot_be_spent()
    {
        Hold(70);
        Assert.Equal(100, _book.Balance(Alice));
        _book.Refuses(Network, Pay(31), LedgerCodes.InsufficientFunds);
        _book.Accepts(Network, Pay(30));
        _book.Refuses(Network, new HoldFunds("test", Alice, new Amount(1), Deadline), LedgerCodes.InsufficientFunds);
        _book.Refuses(Actor.System("x"), new CloseAccount(Alice, "LMR", "still held"), LedgerCodes.AccountNotEmpty);
    }

    [Fact]
    public void A_hold_is_captured_in_parts_and_finished_by_the_last()
    {
        var hold = Hold(70);
        _book.Accepts(Market, Capture(hold, 30));
        _book.Accepts(Market, Capture(hold, 30));
        _book.Refuses(Market, Capture(hold, 11), LedgerCodes.HoldExceeded);
        _book.Accepts(Market, Capture(hold, 10));
        _book.Refuses(Market, Capture(hold, 1), LedgerCodes.HoldFinished);
        _book.Refuses(Market, new ReleaseHold(hold), LedgerCodes.HoldFinished);
        Assert.Equal((30, 70), (_book.Balance(Alice), _book.Balance(Bob)));
        Assert.Equal(0, _book.State.Account(new AccountKey(Alice, "LMR"))!.Held);
        Assert.Equal(HoldStatus.Captured, _book.State.Hold(hold)!.Status);
    }

    [Fact]
    public void A_finishing_capture_gives_the_rest_back()
    {
        var hold = Hold(70);
        _book.Accepts(Market, new CaptureHold(hold, [new HoldPayment(Bob, new Amount(20))], Finish: true));
        _book.Accepts(Network, Pay(80));
        Assert.Equal((0, 100), (_book.Balance(Alice), _book.Balance(Bob)));
    }

    [Fact]
    public void The_last_moment_of_a_hold_is_its_deadline_however_late_the_sweeper_is()
    {
        var hold = Hold(70);
        _book.Accepts(Market, Capture(hold, 1), Deadline);
        Assert.Equal(LedgerCodes.HoldNotDue, Code(Network, new ExpireHold(hold), Deadline));
        Assert.Equal(LedgerCodes.HoldExpired, Code(Market, Capture(hold, 1), Deadline.AddMicroseconds(1)));

        // A clock that jumps back brings no deadline back: the ledger's time does not fall.
        Assert.Equal(LedgerCodes.HoldExpired, Code(Market, Capture(hold, 1), LedgerBook.Start));
        _book.Accepts(Network, new ExpireHold(hold), LedgerBook.Start);
        Assert.Equal(HoldStatus.Expired, _book.State.Hold(hold)!.Status);
        _book.Accepts(Network, Pay(99));
    }

    [Fact]
    public void An_expiry_that_came_too_early_is_no_outcome()
    {
        var hold = Hold(70);
        var request = new LedgerRequest(Network, "expire", new ExpireHold(hold));
        var early = Assert.IsType<LedgerOutcome.Refused>(_book.Submit(request));
        Assert.Equal(LedgerCodes.HoldNotDue, early.Rejection.Code);
        Assert.IsType<LedgerOutcome.Posted>(_book.Submit(request, Deadline.AddSeconds(1)));
    }

    [Fact]
    public void A_hold_belongs_to_its_maker_and_the_network()
    {
        var hold = Hold(70);
        _book.Refuses(new Actor("participant_x", Roles.Steward), Capture(hold, 1), LedgerCodes.UnknownHold);
        _book.Refuses(new Actor("participant_x", Roles.None), new ReleaseHold(hold), LedgerCodes.UnknownHold);
        Assert.Equal(LedgerCodes.Forbidden, Code(Market, new ExpireHold(hold), Deadline.AddDays(1)));
        _book.Accepts(Network, new ReleaseHold(hold));
    }

    [Fact]
    public void Deadlines_lie_in_the_future_and_not_too_far()
    {
        foreach (var deadline in new[] { LedgerBook.Start, LedgerBook.Start.AddDays(LedgerLimits.HoldDaysMax).AddMicroseconds(1) })
            _book.Refuses(Market, new HoldFunds("test", Alice, new Amount(1), deadline), LedgerCodes.InvalidDeadline);
    }

    [Fact]
    public void A_frozen_account_pays_no_capture_and_gets_its_money_back_all_the_same()
    {
        var hold = Hold(70);
        _book.Accepts(Network, new FreezeAccount(Alice, "LMR", "test"));
        _book.Refuses(Market, Capture(hold, 1), LedgerCodes.AccountFrozen);
        _book.Accepts(Market, new ReleaseHold(hold));
        Assert.Equal(0, _book.State.Account(new AccountKey(Alice, "LMR"))!.Held);
    }

    [Fact]
    public void What_a_repeated_hold_or_capture_differs_in_is_named()
    {
        var hold = new HoldFunds("test", Alice, new Amount(5), Deadline, new TransactionReference("a", "1"));
        _book.Submit(new LedgerRequest(Market, "h", hold));
        Assert.Equal("kind", Conflict("h", hold with { Kind = "other" }));
        Assert.Equal("account", Conflict("h", hold with { Code = Bob }));
        Assert.Equal("amount", Conflict("h", hold with { Amount = new Amount(6) }));
        Assert.Equal("deadline", Conflict("h", hold with { Deadline = Deadline.AddSeconds(1) }));
        Assert.Equal("reference", Conflict("h", hold with { Reference = null }));
        Assert.Equal("metadata", Conflict("h", hold with { Metadata = new Dictionary<string, string> { ["a"] = "b" } }));

        var capture = Capture(_book.State.Version, 1);
        _book.Accepts(Market, capture);
        _book.Submit(new LedgerRequest(Market, "c", capture));
        Assert.Equal("hold", Conflict("c", capture with { Hold = 1 }));
        Assert.Equal("payments", Conflict("c", capture with { Payments = [new HoldPayment(Bob, new Amount(2))] }));
        Assert.Equal("finish", Conflict("c", capture with { Finish = true }));
    }

    private static PostTransaction Pay(long units) => new("test", [new Posting(Alice, Bob, new Amount(units))]);

    private static CaptureHold Capture(long hold, long units) => new(hold, [new HoldPayment(Bob, new Amount(units))]);

    private long Hold(long units)
    {
        _book.Accepts(Market, new HoldFunds("test", Alice, new Amount(units), Deadline));
        return _book.State.Version;
    }

    private string Code(Actor actor, LedgerCommand command, DateTimeOffset now) =>
        Assert.IsType<LedgerOutcome.Refused>(
            _book.Submit(new LedgerRequest(actor, $"code-{_book.State.Version}-{now:O}", command), now)).Rejection.Code;

    private string? Conflict(string key, LedgerCommand command)
    {
        var refused = Assert.IsType<LedgerOutcome.Refused>(_book.Submit(new LedgerRequest(Market, key, command)));
        Assert.Equal(LedgerCodes.IdempotencyConflict, refused.Rejection.Code);
        return refused.Rejection.Field;
    }
}
