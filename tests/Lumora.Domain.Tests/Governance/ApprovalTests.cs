using System.Text.Json;
using Lumora.Domain.Governance;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Domain.Tests.Governance;

public sealed class ApprovalTests
{
    private const string Key = "freeze-1";
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly DateTimeOffset Later = At.AddDays(1);
    private static readonly Actor Anna = new("participant_00000000000000000000000001", Roles.Steward | Roles.Provider);
    private static readonly Actor Bert = new("participant_00000000000000000000000002", Roles.Steward);
    private static readonly Actor Carl = new("participant_00000000000000000000000003", Roles.Steward);
    private static readonly Actor Nobody = new("participant_00000000000000000000000004", Roles.Auditor | Roles.Operator);
    private static readonly FreezeAccount Freeze = new("network/fees", "LMR", "stolen");

    public static TheoryData<LedgerCommand> ActsOfPower => [.. s_acts];

    private static readonly LedgerCommand[] s_acts =
    [
        Freeze,
        new UnfreezeAccount("network/fees", "LMR", "found"),
        new CloseAccount("network/fees", "LMR", "left"),
        new ChangeFloor("network/fees", "LMR", -5, "credit"),
        new ChangeFloor("network/fees", "LMR", null, "unbounded"),
        new ReverseTransaction(7, "wrong"),
        new ReverseTransaction(7, "wrong", [new ReversalPart(0, new Amount(4)), new ReversalPart(3, new Amount(long.MaxValue))]),
        SuspensePayout.Of("participant/a/available", "participant/b/available", new Amount(7), "LMR", "theirs"),
    ];

    [Fact]
    public void A_request_says_all_that_is_asked_for_and_until_when()
    {
        var asked = Assert.IsType<ApprovalRequested>(Assert.Single(
            Accepted(ApprovalDecider.Request(null, Anna, Key, Freeze, At))));
        Assert.Equal(Approval.IdOf(Anna.Id, Key), asked.ApprovalId);
        Assert.True(TypeId.IsValid(Approval.IdPrefix, asked.ApprovalId));
        Assert.Equal((Anna.Id, Key, At, At.AddDays(7)), (asked.RequestedBy, asked.Key, asked.RequestedAt, asked.ApprovableUntil));
        Assert.Equal(new GovernedAction(GovernedActionKind.FreezeAccount, "stolen", "network/fees", "LMR"), asked.Action);
        Assert.NotEqual(asked.ApprovalId, Approval.IdOf(Bert.Id, Key));
        Assert.NotEqual(asked.ApprovalId, Approval.IdOf(Anna.Id, "freeze-2"));
    }

    [Theory]
    [MemberData(nameof(ActsOfPower))]
    public void The_act_that_is_approved_is_the_one_that_was_asked_for(LedgerCommand command)
    {
        var stored = JsonSerializer.Serialize(GovernedActions.Of(command), WireJson.Events);
        var action = JsonSerializer.Deserialize<GovernedAction>(stored, WireJson.Events)!;
        Assert.Equal(RequestDigest.Of(command), RequestDigest.Of(action.ToCommand()));
        Assert.Equal(command.GetType(), action.ToCommand().GetType());
    }

    [Fact]
    public void What_is_no_act_of_power_needs_no_approval()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => GovernedActions.Of(new OpenAccount("network/fees")));
        Assert.Throws<ArgumentOutOfRangeException>(() => GovernedActions.Of(
            new PostTransaction(SuspensePayout.Kind, [new Posting("participant/a/available", "participant/b/available", new Amount(7))])));
    }

    [Fact]
    public void The_same_request_again_changes_nothing_and_another_one_names_the_field()
    {
        var pending = Pending();
        Assert.Empty(Accepted(ApprovalDecider.Request(pending, Anna, Key, Freeze, Later)));
        foreach (var (other, field) in ((LedgerCommand, string)[])
            [
                (Freeze with { Reason = "lost" }, "reason"),
                (Freeze with { Code = "network/burned" }, "account"),
                (new UnfreezeAccount(Freeze.Code, Freeze.Asset, Freeze.Reason), "command"),
            ])
        {
            var conflict = Rejected(ApprovalDecider.Request(pending, Anna, Key, other, Later));
            Assert.Equal((LedgerCodes.IdempotencyConflict, field), (conflict.Code, conflict.Field));
        }
    }

    [Fact]
    public void Only_stewards_ask_approve_and_decline()
    {
        Assert.Equal("forbidden", Code(ApprovalDecider.Request(null, Nobody, Key, Freeze, At)));
        Assert.Equal("forbidden", Code(ApprovalDecider.Grant(Pending(), Nobody, Anna, Later)));
        Assert.Equal("forbidden", Code(ApprovalDecider.Grant(null, Nobody, Nobody, Later)));
        Assert.Equal("forbidden", Code(ApprovalDecider.Decline(Pending(), Nobody, "no", Later)));
        Assert.Equal("approval_not_found", Code(ApprovalDecider.Grant(null, Bert, Bert, Later)));
        Assert.Equal("approval_not_found", Code(ApprovalDecider.Decline(null, Bert, "no", Later)));
    }

    [Fact]
    public void Another_steward_approves_and_a_second_approval_changes_nothing()
    {
        var granted = Accepted(ApprovalDecider.Grant(Pending(), Bert, Anna, Later));
        Assert.Equal([new ApprovalGranted(Approval.IdOf(Anna.Id, Key), Bert.Id, Later)], granted);
        var done = Given([.. granted]);
        Assert.Equal((ApprovalState.Granted, Bert.Id, Later), (done.State, done.DecidedBy, done.DecidedAt!.Value));
        foreach (var again in (Actor[])[Bert, Carl])
            Assert.Empty(Accepted(ApprovalDecider.Grant(done, again, Anna, Later)));
        Assert.Equal("approval_granted", Code(ApprovalDecider.Decline(done, Carl, "no", Later)));
        Assert.Equal(ApprovalState.Granted, done.StateAt(At.AddYears(1)));
    }

    [Fact]
    public void Whoever_asked_never_approves()
    {
        foreach (var state in (Approval[])[Pending(), Given(Granted), Given(Failed), Given(Declined)])
            Assert.Equal("own_request", Code(ApprovalDecider.Grant(state, Anna, Anna, Later)));
    }

    [Fact]
    public void An_act_needs_two_who_are_stewards_when_it_is_done() => Assert.Equal(
        "requester_not_steward",
        Code(ApprovalDecider.Grant(Pending(), Bert, Anna with { Roles = Roles.Provider }, Later)));

    [Fact]
    public void It_can_be_approved_up_to_its_last_moment_and_not_after_it()
    {
        var until = Pending().ApprovableUntil;
        Assert.NotEmpty(Accepted(ApprovalDecider.Grant(Pending(), Bert, Anna, until)));
        var over = until.AddMicroseconds(1);
        Assert.Equal(ApprovalState.Expired, Pending().StateAt(over));
        Assert.Equal("approval_expired", Code(ApprovalDecider.Grant(Pending(), Bert, Anna, over)));
        Assert.Equal("approval_expired", Code(ApprovalDecider.Decline(Pending(), Bert, "no", over)));
        Assert.Equal("approval_declined", Code(ApprovalDecider.Grant(Given(Declined), Bert, Anna, over)));
    }

    [Fact]
    public void A_steward_declines_and_the_requester_withdraws_with_a_reason()
    {
        foreach (var actor in (Actor[])[Bert, Anna, Anna with { Roles = Roles.None }])
        {
            var declined = Assert.Single(Accepted(ApprovalDecider.Decline(Pending(), actor, "not he", Later)));
            Assert.Equal(new ApprovalDeclined(Pending().ApprovalId, actor.Id, "not he", Later), declined);
            Assert.Equal("not he", Given(declined).DeclineReason);
        }

        Assert.Empty(Accepted(ApprovalDecider.Decline(Given(Declined), Carl, "also", Later)));
        Assert.Equal("approval_declined", Code(ApprovalDecider.Grant(Given(Declined), Carl, Anna, Later)));
        foreach (var reason in (string[])["", " ", "a\0b", new('x', 501)])
            Assert.Equal("reason_required", Code(ApprovalDecider.Decline(Pending(), Bert, reason, Later)));
    }

    [Fact]
    public void What_the_ledger_refuses_ends_it_unless_it_was_decided_meanwhile()
    {
        var refused = LedgerCodes.Reject(LedgerCodes.UnknownAccount, "code");
        var failed = Assert.Single(Accepted(ApprovalDecider.Fail(Pending(), Bert, refused, Later)));
        Assert.Equal(Failed, failed);
        var state = Given(failed);
        Assert.Equal((ApprovalState.Failed, "unknown_account", "code"), (state.State, state.FailureCode, state.FailureField));
        Assert.Empty(Accepted(ApprovalDecider.Grant(state, Carl, Anna, Later)));
        Assert.Equal("approval_failed", Code(ApprovalDecider.Decline(state, Carl, "no", Later)));
        foreach (var decided in (object[])[Granted, Declined, Failed])
            Assert.Empty(Accepted(ApprovalDecider.Fail(Given(decided), Carl, refused, Later)));
    }

    [Fact]
    public void Places_are_in_the_order_of_the_times_up_to_which_they_can_be_approved()
    {
        var places = Enumerable.Range(0, 50)
            .Select(i => Pending() with { ApprovableUntil = At.AddMicroseconds(37L * i * i * i * 1_000_003) })
            .Select(approval => approval.Place).ToList();
        Assert.Equal(places.Order(StringComparer.Ordinal), places);
        Assert.Equal($"pending/{Pending().Place}", Pending().PlaceInState);
    }

    private static readonly string s_id = Approval.IdOf(Anna.Id, Key);
    private static readonly object Granted = new ApprovalGranted(s_id, Bert.Id, Later);
    private static readonly object Declined = new ApprovalDeclined(s_id, Bert.Id, "no", Later);
    private static readonly object Failed = new ApprovalFailed(s_id, Bert.Id, "unknown_account", "code", Later);

    private static Approval Pending() => Given();

    private static Approval Given(params IReadOnlyList<object> events) =>
        ((object[])[.. Accepted(ApprovalDecider.Request(null, Anna, Key, Freeze, At)), .. events])
            .Aggregate((Approval?)null, Approval.Evolve)!;

    private static IReadOnlyList<object> Accepted(Decision decision) => Assert.IsType<Decision.Accepted>(decision).Events;

    private static Rejection Rejected(Decision decision) => Assert.IsType<Decision.Rejected>(decision).Reason;

    private static string Code(Decision decision) => Rejected(decision).Code;
}
