using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Api.Governance;
using Lumora.Domain.Governance;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Governance;

/// <summary>From the second steward on no steward acts alone.</summary>
public sealed class ApprovalSpecs(GovernanceFixture fixture, TestDatabases databases) : IClassFixture<GovernanceFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_two_stewards_nothing_moves_until_the_other_one_approves()
    {
        var (anna, bert, _) = await fixture.StewardsAsync();
        var somebody = await Person.NewAsync(fixture.App, 10);
        var journal = await JournalAsync();
        var asked = await anna.GovernAsync(somebody.Code, Freeze(somebody));
        Assert.Equal((ApprovalCodes.Pending, "PENDING"), (asked.Code, asked.State));
        Assert.Equal(Approval.IdOf(anna.Actor.Id, somebody.Code), asked.ApprovalId);
        var approval = asked.Payload.GetProperty("approval");
        Assert.Equal((anna.Actor.Id, "Stolen."), (Text(approval, "requester"), Text(approval, "reason")));
        Assert.Equal(("FREEZE_ACCOUNT", somebody.Code), (Text(approval.GetProperty("action"), "kind"), Text(approval.GetProperty("action"), "account")));
        Assert.Equal(
            TimeSpan.FromDays(7),
            approval.GetProperty("approvableUntil").GetDateTimeOffset() - approval.GetProperty("requestedAt").GetDateTimeOffset());
        Assert.Equal(journal, await JournalAsync());
        Assert.Equal(AccountStatus.Open, (await fixture.App.AccountAsync(somebody.Code)).Status);

        var done = await bert.ApproveAsync(asked.ApprovalId);
        Assert.Equal(("ok", "GRANTED", false), (done.Code, done.State, done.Replayed));
        Assert.Equal(bert.Actor.Id, Text(done.Payload.GetProperty("approval"), "decidedBy"));
        Assert.Equal(AccountStatus.Frozen, (await fixture.App.AccountAsync(somebody.Code)).Status);
        Assert.Equal(["approval_requested", "approval_granted"], await EventsAsync(asked.ApprovalId!));

        // The effect is the requester's, and one transaction wrote it and the grant.
        var both = $"""
            from mt_events where (type = 'approval_granted' and stream_id = 'approval/{asked.ApprovalId}')
              or (type = 'account_frozen' and data ->> 'id' = '{somebody.Code}' and user_name = '{anna.Actor.Id}' and version = {done.Version})
            """;
        Assert.Equal(2, await fixture.App.CountAsync($"select count(*) {both}"));
        Assert.Equal(1, await fixture.App.CountAsync($"select count(distinct xmin::text) {both}"));
        await fixture.App.VerifyAsync();
    }

    [Fact]
    public async Task A_lone_steward_acts_at_once_and_is_alone_again_when_the_other_one_is_recalled()
    {
        TestWallet[] wallets = [new(), new()];
        await using var host = new LumoraApp(
            await databases.CreateAsync(), settings: GovernanceFixture.StewardSettings(wallets));
        await host.StartAsync();
        var (anna, bert) = (await Person.SignInAsync(host, wallets[0]), await Person.SignInAsync(host, wallets[1]));
        var somebody = await Person.NewAsync(host, 0);
        var (waiting, withdrawn) = (
            await anna.GovernAsync("a", Freeze(somebody)), await bert.GovernAsync("b", Freeze(somebody)));
        Assert.Equal((ApprovalCodes.Pending, ApprovalCodes.Pending), (waiting.Code, withdrawn.Code));
        await host.RecallAsync(bert);

        // His token is of before; what is asked with it is asked without the role, and what passed that check a moment ago is caught.
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(bert.Client, "approve", new { approvalId = waiting.ApprovalId }));
        var approvals = host.Get<Approvals>();
        var request = new LedgerRequest(bert.Actor, "c", Freeze(somebody));
        Assert.Equal(ApprovalCodes.Forbidden, (await approvals.AskAsync(request, dryRun: false, Ct)).Error!.Code);
        var late = await approvals.ApproveAsync(bert.Actor.Id, waiting.ApprovalId!, Ct);
        Assert.Equal((ApprovalCodes.Forbidden, null), (late.Error!.Code, late.Approval));
        Assert.Equal(
            ApprovalCodes.Forbidden, (await approvals.DeclineAsync(bert.Actor.Id, waiting.ApprovalId!, "No.", Ct)).Rejection!.Code);
        Assert.Equal(ApprovalCodes.RequesterNotSteward, (await anna.ApproveAsync(withdrawn.ApprovalId)).Code);

        Assert.Equal((ApprovalCodes.Pending, "PENDING"), Answer(await anna.GovernAsync("a", Freeze(somebody))));
        Assert.Equal(("ok", null), Answer(await anna.GovernAsync("d", Freeze(somebody))));
        Assert.Equal(AccountStatus.Frozen, (await host.AccountAsync(somebody.Code)).Status);
    }

    [Fact]
    public async Task Nobody_approves_who_may_not()
    {
        var (anna, bert, _) = await fixture.StewardsAsync();
        var consumer = await Person.NewAsync(fixture.App, 0);
        var auditor = await Person.NewAsync(fixture.App, 0);
        var asked = await anna.GovernAsync(consumer.Code, Freeze(consumer));
        Assert.Equal((ApprovalCodes.OwnRequest, "PENDING"), Answer(await anna.ApproveAsync(asked.ApprovalId)));
        using var stranger = fixture.App.CreateClient();
        using var expired = await fixture.App.ExpiredClientAsync(bert.Actor.Id, Ct);
        await fixture.App.ElectAsync(auditor);
        foreach (var (client, status) in ((HttpClient, HttpStatusCode)[])
            [
                (stranger, HttpStatusCode.Unauthorized), (expired, HttpStatusCode.Unauthorized),
                (consumer.Client, HttpStatusCode.Forbidden), (auditor.Client, HttpStatusCode.Forbidden),
            ])
        {
            Assert.Equal(status, await StatusAsync(client, "approve", new { approvalId = asked.ApprovalId }));
            Assert.Equal(status, await StatusAsync(client, "declineApproval", new { approvalId = asked.ApprovalId, reason = "No." }));
        }

        foreach (var id in (string[])["approval_00000000000000000000000000", "nothing", ""])
        {
            Assert.Equal((ApprovalCodes.NotFound, "approvalId"), Fault(await bert.ApproveAsync(id)));
            Assert.Equal((ApprovalCodes.NotFound, null), await bert.DeclineAsync(id));
        }

        // An auditor sees it, and does no more.
        using var seen = await auditor.Client.PostAsJsonAsync(
            "/graphql", new { query = $$"""{ approval(id: "{{asked.ApprovalId}}") { state } }""" }, Ct);
        Assert.Contains("PENDING", await seen.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal(["approval_requested"], await EventsAsync(asked.ApprovalId!));
        Assert.Equal(AccountStatus.Open, (await fixture.App.AccountAsync(consumer.Code)).Status);
    }

    [Fact]
    public async Task The_same_request_again_is_the_same_approval_and_another_content_is_a_conflict()
    {
        var (anna, bert, carl) = await fixture.StewardsAsync();
        var somebody = await Person.NewAsync(fixture.App, 0);
        var key = somebody.Code;
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => anna.GovernAsync(key, Freeze(somebody))));
        var id = Assert.Single(answers.Select(answer => answer.ApprovalId).Distinct());
        Assert.All(answers, answer => Assert.Equal((ApprovalCodes.Pending, "PENDING"), Answer(answer)));
        Assert.Equal(["approval_requested"], await EventsAsync(id!));
        Assert.Equal(
            (LedgerCodes.IdempotencyConflict, "reason"),
            Fault(await anna.GovernAsync(key, Freeze(somebody) with { Reason = "Lost." })));
        Assert.Equal(
            (LedgerCodes.IdempotencyConflict, "command"),
            Fault(await anna.GovernAsync(key, new CloseAccount(somebody.Code, "LMR", "Stolen."))));

        // The same key of another steward is another request.
        var other = await carl.GovernAsync(key, Freeze(somebody));
        Assert.NotEqual(id, other.ApprovalId);
        Assert.Equal(("ok", "DECLINED"), await carl.DeclineAsync(other.ApprovalId));

        var done = await bert.ApproveAsync(id);
        foreach (var again in (PowerAnswer[])
            [await bert.ApproveAsync(id), await carl.ApproveAsync(id), await anna.GovernAsync(key, Freeze(somebody))])
        {
            Assert.Equal(("ok", "GRANTED"), Answer(again));
            Assert.Equal((done.Version, true), (again.Version, again.Replayed));
        }

        Assert.Equal(
            (LedgerCodes.IdempotencyConflict, "reason"),
            Fault(await anna.GovernAsync(key, Freeze(somebody) with { Reason = "Lost." })));
        Assert.Equal(["approval_requested", "approval_granted"], await EventsAsync(id!));
    }

    [Fact]
    public async Task What_is_malformed_or_tried_needs_no_approval()
    {
        var (anna, _, _) = await fixture.StewardsAsync();
        var somebody = await Person.NewAsync(fixture.App, 0);
        var events = await fixture.App.CountAsync("select count(*) from mt_events");
        Assert.Equal((LedgerCodes.InvalidRequest, "reason"), Fault(await anna.GovernAsync("m", Freeze(somebody) with { Reason = "" })));
        Assert.Equal((LedgerCodes.InvalidKey, "idempotencyKey"), Fault(await anna.GovernAsync("", Freeze(somebody))));
        var trial = await anna.GovernAsync("m", Freeze(somebody), dryRun: true);
        Assert.Equal(("ok", null, null), (trial.Code, trial.Version, trial.ApprovalId));
        Assert.Equal(
            LedgerCodes.AccountNotFrozen,
            (await anna.GovernAsync("m", new UnfreezeAccount(somebody.Code, "LMR", "Found."), dryRun: true)).Code);
        Assert.Equal(events, await fixture.App.CountAsync("select count(*) from mt_events"));
    }

    [Fact]
    public async Task A_declined_or_withdrawn_request_stays_so()
    {
        var (anna, bert, carl) = await fixture.StewardsAsync();
        var somebody = await Person.NewAsync(fixture.App, 0);
        foreach (var (who, key) in ((Person, string)[])[(bert, $"{somebody.Code}1"), (anna, $"{somebody.Code}2")])
        {
            var asked = await anna.GovernAsync(key, Freeze(somebody));
            Assert.Equal((ApprovalCodes.ReasonRequired, null), await who.DeclineAsync(asked.ApprovalId, " "));
            Assert.Equal(("ok", "DECLINED"), await who.DeclineAsync(asked.ApprovalId));
            Assert.Equal(("ok", "DECLINED"), await carl.DeclineAsync(asked.ApprovalId, "Neither do I."));
            Assert.Equal((ApprovalCodes.Declined, "DECLINED"), Answer(await carl.ApproveAsync(asked.ApprovalId)));
            var again = await anna.GovernAsync(key, Freeze(somebody));
            Assert.Equal((ApprovalCodes.Declined, "DECLINED"), Answer(again));
            Assert.Equal((who.Actor.Id, "No."), (
                Text(again.Payload.GetProperty("approval"), "decidedBy"), Text(again.Payload.GetProperty("approval"), "declineReason")));
            Assert.Equal(["approval_requested", "approval_declined"], await EventsAsync(asked.ApprovalId!));
        }

        Assert.Equal(AccountStatus.Open, (await fixture.App.AccountAsync(somebody.Code)).Status);
    }

    [Fact]
    public async Task After_seven_days_it_is_too_late()
    {
        var (anna, bert, _) = await fixture.StewardsAsync();
        var somebody = await Person.NewAsync(fixture.App, 0);
        var id = await fixture.App.AskedLongAgoAsync(anna, somebody.Code, Freeze(somebody));
        Assert.Equal((ApprovalCodes.Expired, "EXPIRED"), Answer(await bert.ApproveAsync(id)));
        Assert.Equal((ApprovalCodes.Expired, null), await bert.DeclineAsync(id));
        Assert.Equal((ApprovalCodes.Expired, "EXPIRED"), Answer(await anna.GovernAsync(somebody.Code, Freeze(somebody))));
        Assert.Equal(["approval_requested"], await EventsAsync(id));
        Assert.Equal(AccountStatus.Open, (await fixture.App.AccountAsync(somebody.Code)).Status);
    }

    [Fact]
    public async Task What_the_ledger_refuses_is_recorded_and_answered_again()
    {
        var (anna, bert, carl) = await fixture.StewardsAsync();
        var key = $"refused-{Guid.NewGuid():N}";
        var nobody = new FreezeAccount(ChartOfAccounts.Available(key), "LMR", "Stolen.");
        var asked = await anna.GovernAsync(key, nobody);
        foreach (var answer in (PowerAnswer[])
            [await bert.ApproveAsync(asked.ApprovalId), await carl.ApproveAsync(asked.ApprovalId), await anna.GovernAsync(key, nobody)])
        {
            Assert.Equal((LedgerCodes.UnknownAccount, "FAILED"), Answer(answer));
            Assert.Equal("account", answer.Field);
            Assert.Equal(LedgerCodes.UnknownAccount, Text(answer.Payload.GetProperty("approval"), "failureCode"));
        }

        Assert.Equal((ApprovalCodes.Failed, null), await carl.DeclineAsync(asked.ApprovalId));
        Assert.Equal(["approval_requested", "approval_failed"], await EventsAsync(asked.ApprovalId!));
    }

    [Fact]
    public async Task A_key_that_was_used_meanwhile_ends_the_approval_by_a_conflict()
    {
        var (anna, bert, _) = await fixture.StewardsAsync();
        var somebody = await Person.NewAsync(fixture.App, 0);
        var key = somebody.Code;
        await fixture.App.SystemAsync($"open/{key}", new OpenAccount(anna.Code));
        await fixture.App.SystemAsync($"fund/{key}", LedgerHarness.Pay(ChartOfAccounts.Emission, anna.Code, 5));
        var asked = await anna.GovernAsync(key, Freeze(somebody));
        Assert.Equal("ok", (await anna.AskAsync(key, anna.Pays(somebody.Code, 5))).Code);
        Assert.Equal((LedgerCodes.IdempotencyConflict, "FAILED"), Answer(await bert.ApproveAsync(asked.ApprovalId)));
        Assert.Equal(AccountStatus.Open, (await fixture.App.AccountAsync(somebody.Code)).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whatever_was_lost_in_between_repeating_it_ends_in_the_same(bool refused)
    {
        var (anna, bert, carl) = await fixture.StewardsAsync();
        var somebody = await Person.NewAsync(fixture.App, 0);
        LedgerCommand act = refused ? new UnfreezeAccount(somebody.Code, "LMR", "Found.") : Freeze(somebody);
        var asked = await anna.GovernAsync(somebody.Code, act);
        // As if whoever approved had died after the ledger's commit and before anything else.
        await fixture.App.Get<ILedgers>().For(ShardRole.Global).AskAsync(new LedgerRequest(anna.Actor, somebody.Code, act));
        var (code, state) = refused ? (LedgerCodes.AccountNotFrozen, "FAILED") : ("ok", "GRANTED");
        Assert.Equal((code, state), Answer(await bert.ApproveAsync(asked.ApprovalId)));
        Assert.Equal((code, state), Answer(await carl.ApproveAsync(asked.ApprovalId)));
        Assert.Equal((code, state), Answer(await anna.GovernAsync(somebody.Code, act)));
        Assert.Equal(
            ["approval_requested", refused ? "approval_failed" : "approval_granted"], await EventsAsync(asked.ApprovalId!));
    }

    [Fact]
    public async Task Many_approvals_at_once_have_one_effect()
    {
        var (anna, bert, carl) = await fixture.StewardsAsync();
        var somebody = await Person.NewAsync(fixture.App, 0);
        var asked = await anna.GovernAsync(somebody.Code, Freeze(somebody));
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Task.Run(
            () => (i % 2 == 0 ? bert : carl).ApproveAsync(asked.ApprovalId))));
        Assert.All(answers, answer => Assert.Equal(("ok", "GRANTED"), Answer(answer)));
        Assert.Single(answers.Select(answer => answer.Version).Distinct());
        Assert.Equal(["approval_requested", "approval_granted"], await EventsAsync(asked.ApprovalId!));
        Assert.Equal(1, await fixture.App.CountAsync(
            $"select count(*) from mt_events where type = 'account_frozen' and data ->> 'id' = '{somebody.Code}'"));
    }

    [Fact]
    public async Task Of_approving_and_declining_at_once_exactly_one_wins()
    {
        var (anna, bert, carl) = await fixture.StewardsAsync();
        for (var i = 0; i < 10; i++)
        {
            var somebody = await Person.NewAsync(fixture.App, 0);
            var asked = await anna.GovernAsync(somebody.Code, Freeze(somebody));
            var approving = Task.Run(() => bert.ApproveAsync(asked.ApprovalId));
            var declining = Task.Run(() => carl.DeclineAsync(asked.ApprovalId));
            var (approved, declined) = (await approving, await declining);
            var granted = approved.Code == "ok";
            Assert.Equal(granted ? "ok" : ApprovalCodes.Declined, approved.Code);
            Assert.Equal(granted ? ApprovalCodes.Granted : "ok", declined.Code);
            Assert.Equal(
                ["approval_requested", granted ? "approval_granted" : "approval_declined"], await EventsAsync(asked.ApprovalId!));
            Assert.Equal(
                granted ? AccountStatus.Frozen : AccountStatus.Open, (await fixture.App.AccountAsync(somebody.Code)).Status);
        }
    }

    [Fact]
    public async Task Every_act_of_power_goes_through_an_approval()
    {
        var (anna, bert, _) = await fixture.StewardsAsync();
        var (payer, payee) = (await Person.NewAsync(fixture.App, 10), await Person.NewAsync(fixture.App, 0));
        var paid = (await payer.AskAsync("p", payer.Pays(payee.Code, 10))).Version!.Value;
        LedgerCommand[] acts =
        [
            Freeze(payee),
            new UnfreezeAccount(payee.Code, "LMR", "Found."),
            new ReverseTransaction(paid, "Wrong.", [new ReversalPart(0, new Amount(4))]),
            new ReverseTransaction(paid, "Wrong."),
            new ChangeFloor(payer.Code, "LMR", -5, "Credit."),
            new ChangeFloor(payer.Code, "LMR", null, "Credit."),
            new CloseAccount(payee.Code, "LMR", "Left."),
            SuspensePayout.Of(payee.Code, ChartOfAccounts.Treasury, new Amount(3), "LMR", "Nobody's."),
        ];
        for (var i = 0; i < acts.Length; i++)
        {
            if (acts[i] is PostTransaction)
                await fixture.App.SystemAsync($"late/{payee.Code}", LedgerHarness.Pay(ChartOfAccounts.Emission, payee.Code, 3));
            var asked = await anna.GovernAsync($"{payer.Code}{i}", acts[i]);
            Assert.Equal(ApprovalCodes.Pending, asked.Code);
            Assert.Equal("ok", (await bert.ApproveAsync(asked.ApprovalId)).Code);
        }

        var account = await fixture.App.AccountAsync(payer.Code);
        Assert.Equal((10, null), (account.Balance, account.Floor));
        Assert.Equal(AccountStatus.Closed, (await fixture.App.AccountAsync(payee.Code)).Status);
        await fixture.App.VerifyAsync();
    }

    private static FreezeAccount Freeze(Person person) => new(person.Code, "LMR", "Stolen.");

    private static (string Code, string? State) Answer(PowerAnswer answer) => (answer.Code, answer.State);

    private static (string Code, string? Field) Fault(PowerAnswer answer) => (answer.Code, answer.Field);

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string field, object input)
    {
        using var response = await LedgerGraph.PostAsync(client, field, input, "{ error { code } }", Ct);
        return response.StatusCode;
    }

    private Task<long> JournalAsync() => fixture.App.CountAsync("select version from mt_streams where id = 'ledger/main'");

    private async Task<IEnumerable<string>> EventsAsync(string approvalId)
    {
        await using var session = fixture.App.Get<ShardSessions>().Query(ShardRole.Global);
        return (await session.Events.FetchStreamAsync(Approval.StreamOf(approvalId), token: Ct)).Select(e => e.EventTypeName);
    }
}
