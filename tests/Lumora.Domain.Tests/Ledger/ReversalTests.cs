using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Ledger;

public sealed class ReversalTests
{
    private const string Alice = "participant/a/available";
    private const string Bob = "participant/b/available";
    private static readonly Actor Network = Actor.System("test");
    private static readonly Actor Steward = new("participant_s", Roles.Steward);
    private readonly LedgerBook _book = new();

    public ReversalTests()
    {
        foreach (var code in (string[])[ChartOfAccounts.Emission, ChartOfAccounts.Fees, Alice, Bob])
            _book.Accepts(Network, new OpenAccount(code));
        _book.Accepts(Network, new PostTransaction("fund", [new Posting(ChartOfAccounts.Emission, Alice, new Amount(100))]));
    }

    [Fact]
    public void A_whole_reversal_undoes_every_posting_and_can_be_made_once()
    {
        var paid = Post(new Posting(Alice, Bob, new Amount(60)), new Posting(Bob, ChartOfAccounts.Fees, new Amount(10)));
        _book.Accepts(Steward, new ReverseTransaction(paid, "wrong payee"));
        Assert.Equal((100, 0, 0), (_book.Balance(Alice), _book.Balance(Bob), _book.Balance(ChartOfAccounts.Fees)));
        _book.Refuses(Steward, new ReverseTransaction(paid, "again"), LedgerCodes.ReversalExceeded);
    }

    [Fact]
    public void Partial_reversals_together_move_no_more_than_the_transaction_did()
    {
        var paid = Post(new Posting(Alice, Bob, new Amount(60)));
        _book.Accepts(Steward, Part(paid, 0, 25));
        _book.Accepts(Steward, Part(paid, 0, 25));
        _book.Refuses(Steward, Part(paid, 0, 11), LedgerCodes.ReversalExceeded);
        _book.Refuses(Steward, Part(paid, 1, 1), LedgerCodes.ReversalExceeded);
        _book.Accepts(Steward, new ReverseTransaction(paid, "the rest"));
        Assert.Equal((100, 0), (_book.Balance(Alice), _book.Balance(Bob)));
    }

    [Fact]
    public void Money_that_is_spent_cannot_be_reversed()
    {
        var paid = Post(new Posting(Alice, Bob, new Amount(60)));
        Post(new Posting(Bob, ChartOfAccounts.Fees, new Amount(1)));
        _book.Refuses(Steward, new ReverseTransaction(paid, "too late"), LedgerCodes.InsufficientFunds);
        _book.Accepts(Steward, Part(paid, 0, 59));
    }

    [Fact]
    public void What_went_to_suspense_comes_back_from_there()
    {
        _book.Accepts(Network, new FreezeAccount(Bob, "LMR", "test"));
        var paid = Post(new Posting(Alice, Bob, new Amount(60)));
        Assert.Equal(60, _book.Balance(ChartOfAccounts.Suspense(Bob)));
        _book.Accepts(Steward, new ReverseTransaction(paid, "frozen"));
        Assert.Equal((100, 0), (_book.Balance(Alice), _book.Balance(ChartOfAccounts.Suspense(Bob))));
    }

    [Fact]
    public void A_capture_can_be_reversed_and_a_reversal_a_hold_or_a_refusal_cannot()
    {
        _book.Accepts(Network, new HoldFunds("test", Alice, new Amount(10), LedgerBook.Start.AddDays(1)));
        var hold = _book.State.Version;
        _book.Accepts(Network, new CaptureHold(hold, [new HoldPayment(Bob, new Amount(10))]));
        var capture = _book.State.Version;
        _book.Accepts(Steward, new ReverseTransaction(capture, "x"));
        Assert.Equal((100, 0), (_book.Balance(Alice), _book.Balance(Bob)));
        foreach (var other in (long[])[hold, _book.State.Version, 0, 1, 1_000])
            _book.Refuses(Steward, new ReverseTransaction(other, "x"), LedgerCodes.UnknownTransaction);
    }

    [Fact]
    public void Reversals_need_a_steward_a_reason_and_distinct_parts()
    {
        var paid = Post(new Posting(Alice, Bob, new Amount(60)));
        Assert.Equal(LedgerCodes.Forbidden, Fault(new Actor("participant_a", Roles.Consumer), new ReverseTransaction(paid, "x")));
        Assert.Equal(LedgerCodes.InvalidRequest, Fault(Steward, new ReverseTransaction(paid, "")));
        var part = new ReversalPart(0, new Amount(1));
        Assert.Equal(LedgerCodes.InvalidRequest, Fault(Steward, new ReverseTransaction(paid, "x", [])));
        Assert.Equal(LedgerCodes.InvalidRequest, Fault(Steward, new ReverseTransaction(paid, "x", [part, part])));
        Assert.Equal(LedgerCodes.InvalidAmount, Fault(Steward, new ReverseTransaction(paid, "x", [part with { Amount = Amount.Zero }])));
    }

    private static ReverseTransaction Part(long transaction, int posting, long units) =>
        new(transaction, "part", [new ReversalPart(posting, new Amount(units))]);

    private static string? Fault(Actor actor, LedgerCommand command) =>
        LedgerShape.Check(new LedgerRequest(actor, "k", command))?.Code;

    private long Post(params Posting[] postings)
    {
        _book.Accepts(Network, new PostTransaction("test", postings));
        return _book.State.Version;
    }
}
