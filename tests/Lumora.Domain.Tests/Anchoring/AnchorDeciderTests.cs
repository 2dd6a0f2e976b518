using CsCheck;
using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tests.Anchoring;

public sealed class AnchorDeciderTests
{
    private const string Memo = "lumora.invalid/test/main\n7\nroot\n\n— lumora.invalid/test/main sig\n";
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
    private static readonly AnchorPrepared Prepared = new("main", 7, "root", Memo, "genesis", "payer", Now);

    [Fact]
    public void An_anchor_goes_from_prepared_to_finalized_once()
    {
        var state = Fold(null, AnchorDecider.Prepare(null, 0, Prepared));
        state = Fold(state, AnchorDecider.Sign(state!, Transaction("a", 100)));
        state = Fold(state, AnchorDecider.Submit(state!, "a", Now));
        state = Fold(state, AnchorDecider.Observe(state!, "a", new AnchorSighting(AnchorStage.Processed, 5, null), Now));
        state = Fold(state, AnchorDecider.Observe(state!, "a", new AnchorSighting(AnchorStage.Confirmed, 5, null), Now));
        state = Fold(state, AnchorDecider.Finalize(state!, "a", new AnchorRecord(5, "hash", Now, "raw", [Memo]), Now));
        Assert.Equal((AnchorStage.Finalized, 5L, 1), (state!.Stage, state.Slot!.Value, state.Attempts));
        Assert.Empty(Events(AnchorDecider.Observe(state, "a", null, Now)));
        Assert.Empty(Events(AnchorDecider.Prepare(state, 0, Prepared)));
        Assert.IsType<Decision.Rejected>(AnchorDecider.Sign(state, Transaction("b", 200)));
    }

    [Fact]
    public void A_smaller_or_equal_checkpoint_is_refused() =>
        Assert.IsType<Decision.Rejected>(AnchorDecider.Prepare(null, 7, Prepared));

    [Fact]
    public void A_second_transaction_is_signed_only_when_the_first_cannot_land()
    {
        var state = Fold(Fold(null, AnchorDecider.Prepare(null, 0, Prepared)), Decision.Accept(Transaction("a", 100)));
        Assert.IsType<Decision.Rejected>(AnchorDecider.Sign(state!, Transaction("b", 200)));
        Assert.Empty(Events(AnchorDecider.Expire(state!, "a", 100, Now)));
        state = Fold(state, AnchorDecider.Expire(state!, "a", 101, Now));
        state = Fold(state, AnchorDecider.Sign(state!, Transaction("b", 200)));
        Assert.Equal(("b", 2, Memo), (state!.Signature, state.Attempts, state.Memo));
    }

    /// <summary>Two hosts anchor: one looked after the first transaction, while the other gave it up and signed the next.</summary>
    [Fact]
    public void What_was_seen_of_an_earlier_transaction_says_nothing_about_this_one()
    {
        var state = Fold(Fold(null, AnchorDecider.Prepare(null, 0, Prepared)), Decision.Accept(Transaction("a", 100)));
        state = Fold(state, AnchorDecider.Expire(state!, "a", 101, Now));
        state = Fold(state, AnchorDecider.Sign(state!, Transaction("b", 200)))!;
        Assert.Empty(Events(AnchorDecider.Submit(state, "a", Now)));
        Assert.Empty(Events(AnchorDecider.Observe(state, "a", new AnchorSighting(AnchorStage.Confirmed, 5, null), Now)));
        Assert.Empty(Events(AnchorDecider.Observe(state, "a", new AnchorSighting(AnchorStage.Finalized, 5, "{}"), Now)));
        Assert.Empty(Events(AnchorDecider.Finalize(state, "a", new AnchorRecord(5, "hash", Now, "raw", [Memo]), Now)));
        Assert.Empty(Events(AnchorDecider.Expire(state, "a", 1_000, Now)));
        Assert.Single(Events(AnchorDecider.Expire(state, "b", 201, Now)));
    }

    [Fact]
    public void A_block_that_vanishes_takes_the_anchor_back_to_submitted()
    {
        var state = Fold(Fold(null, AnchorDecider.Prepare(null, 0, Prepared)), Decision.Accept(Transaction("a", 100)));
        state = Fold(state, AnchorDecider.Observe(state!, "a", new AnchorSighting(AnchorStage.Confirmed, 5, null), Now));
        Assert.Empty(Events(AnchorDecider.Expire(state!, "a", 1000, Now)));
        state = Fold(state, AnchorDecider.Observe(state!, "a", null, Now));
        Assert.Equal((AnchorStage.Submitted, null), (state!.Stage, state.Slot));
    }

    [Fact]
    public void Another_memo_on_the_chain_is_refused()
    {
        var state = Fold(Fold(null, AnchorDecider.Prepare(null, 0, Prepared)), Decision.Accept(Transaction("a", 100)));
        Assert.IsType<Decision.Rejected>(
            AnchorDecider.Finalize(state!, "a", new AnchorRecord(5, "hash", Now, "raw", ["other"]), Now));
        Assert.IsType<Decision.Rejected>(
            AnchorDecider.Finalize(state!, "a", new AnchorRecord(5, "hash", Now, "raw", [Memo, Memo]), Now));
    }

    [Fact]
    public void Whatever_the_chain_shows_an_anchor_never_leaves_finality_and_never_has_two_live_transactions() =>
        Gen.Int[0, 6].Array[0, 40].Sample(steps =>
        {
            var state = Fold(null, AnchorDecider.Prepare(null, 0, Prepared))!;
            var finalized = false;
            for (var index = 0; index < steps.Length; index++)
            {
                var (before, decision) = (state, Step(state, steps[index], index));
                if (decision is Decision.Accepted { Events: [AnchorSigned, ..] })
                    Assert.Equal(AnchorStage.Prepared, before.Stage);
                state = Fold(state, decision)!;
                Assert.True(!finalized || state.Stage == AnchorStage.Finalized);
                finalized = state.Stage == AnchorStage.Finalized;
            }
        });

    private static Decision Step(AnchorState state, int step, int index) => step switch
    {
        0 => AnchorDecider.Sign(state, Transaction($"s{index}", index)),
        1 => AnchorDecider.Submit(state, state.Signature ?? "", Now),
        2 => AnchorDecider.Observe(state, state.Signature ?? "", null, Now),
        3 => AnchorDecider.Observe(state, state.Signature ?? "", new AnchorSighting((AnchorStage)(3 + (index % 3)), index, null), Now),
        4 => AnchorDecider.Observe(state, state.Signature ?? "", new AnchorSighting(AnchorStage.Finalized, index, "{}"), Now),
        5 => AnchorDecider.Expire(state, state.Signature ?? "", index + 1, Now),
        _ => AnchorDecider.Finalize(state, state.Signature ?? "", new AnchorRecord(index, "hash", null, "raw", [Memo]), Now),
    };

    private static AnchorSigned Transaction(string signature, long lastValid) =>
        new(1, signature, "raw", "blockhash", lastValid, Now);

    private static IReadOnlyList<object> Events(Decision decision) => Assert.IsType<Decision.Accepted>(decision).Events;

    private static AnchorState? Fold(AnchorState? state, Decision decision) =>
        decision is Decision.Accepted accepted ? accepted.Events.Aggregate(state, AnchorState.Evolve) : state;
}
