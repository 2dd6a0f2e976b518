using System.Net;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Ledger;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>The ledger's mutations from outside: who may, what is refused, what has one effect.</summary>
public sealed class LedgerMutationSpecs(LedgerApiFixture fixture, TestDatabases databases) : IClassFixture<LedgerApiFixture>
{
    private const string Fields = "{ outcome { journalVersion } error { code field } }";

    private static readonly (string Field, object Input)[] OfEverybody =
    [
        ("transfer", new { idempotencyKey = "k", payments = Array.Empty<object>() }),
        ("holdFunds", new { idempotencyKey = "k", amount = "1", deadline = "2030-01-01T00:00:00Z" }),
        ("captureHold", new { idempotencyKey = "k", hold = "1", payments = Array.Empty<object>() }),
        ("releaseHold", new { idempotencyKey = "k", hold = "1" }),
    ];

    private static readonly (string Field, object Input)[] OfStewards =
    [
        ("freezeAccount", new { idempotencyKey = "k", account = "network/fees", reason = "x" }),
        ("unfreezeAccount", new { idempotencyKey = "k", account = "network/fees", reason = "x" }),
        ("closeAccount", new { idempotencyKey = "k", account = "network/fees", reason = "x" }),
        ("changeFloor", new { idempotencyKey = "k", account = "network/fees", reason = "x", unbounded = true }),
        ("reverseTransaction", new { idempotencyKey = "k", transaction = "1", reason = "x" }),
        ("payOutSuspense", new { idempotencyKey = "k", account = "network/fees", amount = "1", reason = "x" }),
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stranger_may_nothing_and_a_participant_nothing_of_a_steward()
    {
        using var stranger = fixture.App.CreateClient();
        foreach (var (field, input) in OfEverybody.Concat(OfStewards))
            Assert.Equal((HttpStatusCode.Unauthorized, "UNAUTHENTICATED"), await RefusalAsync(stranger, field, input, Fields));
        var transfers = new { transfers = Array.Empty<object>(), mode = "INDEPENDENT" };
        Assert.Equal(
            (HttpStatusCode.Unauthorized, "UNAUTHENTICATED"), await RefusalAsync(stranger, "transfers", transfers, "{ error { code } }"));
        var person = await Person.NewAsync(fixture.App, 0);
        foreach (var (field, input) in OfStewards)
            Assert.Equal((HttpStatusCode.Forbidden, "FORBIDDEN"), await RefusalAsync(person.Client, field, input, Fields));
    }

    [Fact]
    public async Task An_expired_token_is_no_token()
    {
        var clock = new ShiftedClock();
        await using var host = new LumoraApp(
            await databases.CreateAsync(), services: services => services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock)));
        await host.StartAsync();
        var person = await Person.NewAsync(host, 10);
        clock.Shift = TimeSpan.FromDays(1);
        foreach (var (field, input) in OfEverybody.Concat(OfStewards))
            Assert.Equal(HttpStatusCode.Unauthorized, (await RefusalAsync(person.Client, field, input, Fields)).Status);
    }

    [Fact]
    public async Task Nobody_moves_somebody_elses_money()
    {
        var (mine, other) = (await Person.NewAsync(fixture.App, 100), await Person.NewAsync(fixture.App, 100));
        var theirs = other.Pays(mine.Code, 1);
        Assert.Equal((LedgerCodes.Forbidden, "payments[0].from"), Code(await mine.AskAsync("a", theirs)));
        Assert.Equal((LedgerCodes.Forbidden, "payments[0].from"), Code(await mine.AskAsync("b", theirs with
        {
            Postings = [new Posting(ChartOfAccounts.Emission, mine.Code, new Amount(1))],
        })));
        Assert.Equal((LedgerCodes.Forbidden, "account"), Code(await mine.AskAsync("c", other.Holds(1, Tomorrow))));
        var hold = (await other.AskAsync("h", other.Holds(50, Tomorrow))).Version!.Value;
        Assert.Equal(LedgerCodes.UnknownHold, (await mine.AskAsync("d", Capture(hold, mine.Code, 1))).Code);
        Assert.Equal(LedgerCodes.UnknownHold, (await mine.AskAsync("e", new ReleaseHold(hold))).Code);
        foreach (var payee in (string[])["network/fees", "escrow/x", "chain/solana", $"suspense/{mine.Code}"])
            Assert.Equal(LedgerCodes.Forbidden, (await mine.AskAsync("f", mine.Pays(payee, 1))).Code);
        Assert.Equal(LedgerCodes.Forbidden, (await other.AskAsync("g", Capture(hold, "escrow/x", 1))).Code);
        Assert.Equal(100, (await fixture.App.AccountAsync(other.Code)).Balance);
        Assert.Equal(100, (await fixture.App.AccountAsync(mine.Code)).Balance);

        // The same key names two requests of two people.
        Assert.False((await mine.AskAsync("h", mine.Pays(other.Code, 1))).Replayed);
    }

    [Fact]
    public async Task What_is_malformed_is_refused_by_code_and_field_and_uses_up_no_key()
    {
        var (mine, other) = (await Person.NewAsync(fixture.App, 100), await Person.NewAsync(fixture.App, 0));
        var pay = mine.Pays(other.Code, 1);
        var posting = pay.Postings[0];
        Assert.Equal((LedgerCodes.InvalidAmount, "payments[0].amount"), Code(await mine.AskAsync("k", mine.Pays(other.Code, 0))));
        Assert.Equal((LedgerCodes.SameAccount, "payments[0].to"), Code(await mine.AskAsync("k", mine.Pays(mine.Code, 1))));
        Assert.Equal((LedgerCodes.InvalidAccount, "payments[0].to"), Code(await mine.AskAsync("k", mine.Pays("no such/account", 1))));
        Assert.Equal(
            (LedgerCodes.TooManyPostings, "payments"),
            Code(await mine.AskAsync("k", pay with { Postings = [.. Enumerable.Repeat(posting, 65)] })));
        Assert.Equal((LedgerCodes.InvalidKey, "idempotencyKey"), Code(await mine.AskAsync(new string('k', 129), pay)));
        Assert.Equal((LedgerCodes.InvalidKey, "idempotencyKey"), Code(await mine.AskAsync("", pay)));
        Assert.Equal((LedgerCodes.InvalidRequest, "metadata"), Code(await mine.AskAsync("k", pay with { Metadata = Pair("k", new string('x', 1_024)) })));
        Assert.Equal((LedgerCodes.InvalidRequest, "reference"), Code(await mine.AskAsync("k", pay with { Reference = new("No Name", "1") })));
        foreach (var amount in (string[])["-1", "9223372036854775808", "1.5", "01", ""])
        {
            var (_, code) = await RefusalAsync(
                mine.Client, "transfer", new { idempotencyKey = "k", payments = new[] { new { to = other.Code, amount } } }, Fields);
            Assert.Equal("INVALID_VALUE", code);
        }

        var nul = new { idempotencyKey = "k", payments = new[] { new { to = other.Code, amount = "1" } }, reference = new { type = "a", id = "\0" } };
        var answered = await RefusalAsync(mine.Client, "transfer", nul, Fields);
        Assert.Contains(answered.Code, (string[])["BAD_REQUEST", LedgerCodes.InvalidRequest]);

        // 1,024 bytes of metadata are not too many, 64 payments neither, and "k" is still free.
        var full = pay with { Metadata = Pair("k", new string('x', 1_023)), Postings = [.. Enumerable.Repeat(posting, 64)] };
        Assert.Equal(("ok", null), Code(await mine.AskAsync("k", full)));
        var nobody = await mine.AskAsync("n", mine.Pays(ChartOfAccounts.Available("nobody"), 1));
        Assert.Equal((LedgerCodes.UnknownAccount, "payments[0].to"), Code(nobody));
    }

    [Fact]
    public async Task A_hundred_equal_calls_at_once_have_one_effect_and_one_place_in_the_journal()
    {
        var (mine, other) = (await Person.NewAsync(fixture.App, 100), await Person.NewAsync(fixture.App, 0));
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => mine.AskAsync("one", mine.Pays(other.Code, 7)))));
        Assert.Single(answers.Select(answer => (answer.Code, answer.Version, answer.At)).Distinct());
        Assert.Single(answers, answer => !answer.Replayed);
        Assert.Equal(7, (await fixture.App.AccountAsync(other.Code)).Balance);
        var conflict = await mine.AskAsync("one", mine.Pays(other.Code, 8));
        Assert.Equal((LedgerCodes.IdempotencyConflict, "payments"), Code(conflict));
    }

    [Fact]
    public async Task The_64_bit_border_holds()
    {
        await using var host = new LumoraApp(await databases.CreateAsync());
        await host.StartAsync();
        var (rich, poor) = (await Person.NewAsync(host, long.MaxValue), await Person.NewAsync(host, 0));
        await host.SystemAsync("open-chain", new OpenAccount("chain/test"));
        await host.SystemAsync("credit", LedgerHarness.Pay("chain/test", poor.Code, 5));
        Assert.Equal((LedgerCodes.Overflow, "payments[0].amount"), Code(await poor.AskAsync("over", poor.Pays(rich.Code, 1))));
        Assert.Equal("ok", (await rich.AskAsync("all", rich.Holds(long.MaxValue, Tomorrow))).Code);
        Assert.Equal(LedgerCodes.InsufficientFunds, (await rich.AskAsync("more", rich.Pays(poor.Code, 1))).Code);
        Assert.Equal(LedgerCodes.Overflow, (await rich.AskAsync("hold", rich.Holds(1, Tomorrow))).Code);
        await host.VerifyAsync();
    }

    [Fact]
    public async Task A_trial_says_what_would_be_answered_and_writes_nothing()
    {
        var (mine, other) = (await Person.NewAsync(fixture.App, 10), await Person.NewAsync(fixture.App, 0));
        var events = await fixture.App.CountAsync("select count(*) from mt_events");
        var trial = await mine.AskAsync("t", mine.Pays(other.Code, 10), dryRun: true);
        Assert.Equal(("ok", null, false), (trial.Code, trial.Version, trial.Replayed));
        Assert.Equal(LedgerCodes.InsufficientFunds, (await mine.AskAsync("t", mine.Pays(other.Code, 11), dryRun: true)).Code);
        List<LedgerRequest> two = [new(mine.Actor, "u", mine.Pays(other.Code, 6)), new(mine.Actor, "v", mine.Pays(other.Code, 6))];
        Assert.Equal(
            [LedgerCodes.BulkRefused, LedgerCodes.InsufficientFunds],
            (await mine.Client.AskAllAsync(two, BulkMode.AllOrNothing, Ct, dryRun: true)).Select(answer => answer.Code));
        Assert.Equal(events, await fixture.App.CountAsync("select count(*) from mt_events"));
        var real = await mine.AskAsync("t", mine.Pays(other.Code, 10));
        Assert.False(real.Replayed);
        Assert.Equal(real with { Replayed = true }, await mine.AskAsync("t", mine.Pays(other.Code, 10), dryRun: true));
    }

    [Fact]
    public async Task A_bulk_call_answers_each_transfer_in_its_place()
    {
        var (mine, other) = (await Person.NewAsync(fixture.App, 10), await Person.NewAsync(fixture.App, 0));
        List<LedgerRequest> calls = [.. ((long[])[4, 100, 4]).Select((units, i) => new LedgerRequest(mine.Actor, $"b{i}", mine.Pays(other.Code, units)))];
        Assert.Equal(
            [LedgerCodes.BulkRefused, LedgerCodes.InsufficientFunds, LedgerCodes.BulkRefused],
            (await mine.Client.AskAllAsync(calls, BulkMode.AllOrNothing, Ct)).Select(answer => answer.Code));
        Assert.Equal(
            ["ok", LedgerCodes.InsufficientFunds, "ok"],
            (await mine.Client.AskAllAsync(calls, BulkMode.Independent, Ct)).Select(answer => answer.Code));
        List<LedgerRequest> foreign = [calls[0], new(mine.Actor, "f", other.Pays(mine.Code, 1))];
        Assert.Equal(
            [LedgerCodes.BulkRefused, LedgerCodes.Forbidden],
            (await mine.Client.AskAllAsync(foreign, BulkMode.AllOrNothing, Ct)).Select(answer => answer.Code));
        Assert.Equal(8, (await fixture.App.AccountAsync(other.Code)).Balance);
    }

    [Theory]
    [InlineData(BulkMode.AllOrNothing)]
    [InlineData(BulkMode.Independent)]
    public async Task A_bulk_call_of_8192_goes_through(BulkMode mode)
    {
        var (mine, other) = (await Person.NewAsync(fixture.App, 10_000), await Person.NewAsync(fixture.App, 0));
        List<LedgerRequest> calls =
            [.. Enumerable.Range(0, LedgerLimits.BulkMax).Select(_ => new LedgerRequest(mine.Actor, Guid.NewGuid().ToString(), mine.Pays(other.Code, 1)))];
        var answers = await mine.Client.AskAllAsync(calls, mode, Ct);
        Assert.Equal(LedgerLimits.BulkMax, answers.Count(answer => answer.Code == "ok"));
        Assert.Equal(LedgerLimits.BulkMax, (await fixture.App.AccountAsync(other.Code)).Balance);
    }

    [Fact]
    public async Task A_refusal_that_comes_again_says_so()
    {
        var (mine, other) = (await Person.NewAsync(fixture.App, 10), await Person.NewAsync(fixture.App, 0));
        var request = new LedgerRequest(mine.Actor, "too-much", mine.Pays(other.Code, 100));
        var first = await mine.Client.AskAsync(request, Ct);
        Assert.Equal((LedgerCodes.InsufficientFunds, false), (first.Code, first.Replayed));
        Assert.Equal(first with { Replayed = true }, await mine.Client.AskAsync(request, Ct));
        // Every attempt of a call that is malformed is looked at anew.
        var malformed = new LedgerRequest(mine.Actor, "nothing", mine.Pays(other.Code, 0));
        await mine.Client.AskAsync(malformed, Ct);
        Assert.False((await mine.Client.AskAsync(malformed, Ct)).Replayed);
    }

    [Fact]
    public async Task A_steward_freezes_reverses_and_closes_with_a_reason()
    {
        var steward = await Person.SignInAsync(fixture.App, fixture.Steward);
        var (mine, other) = (await Person.NewAsync(fixture.App, 10), await Person.NewAsync(fixture.App, 0));
        var paid = (await mine.AskAsync("p", mine.Pays(other.Code, 10))).Version!.Value;
        Assert.Equal((LedgerCodes.InvalidRequest, "reason"), Code(await steward.AskAsync($"{mine.Code}1", new FreezeAccount(mine.Code, "LMR", ""))));
        Assert.Equal("ok", (await steward.AskAsync($"{mine.Code}2", new FreezeAccount(mine.Code, "LMR", "stolen"))).Code);
        Assert.Equal(LedgerCodes.AccountFrozen, (await other.AskAsync("p", other.Pays(mine.Code, 1))).Code);
        Assert.Equal("ok", (await steward.AskAsync($"{mine.Code}3", new UnfreezeAccount(mine.Code, "LMR", "found"))).Code);
        var part = new ReverseTransaction(paid, "wrong", [new ReversalPart(0, new Amount(4))]);
        Assert.Equal("ok", (await steward.AskAsync($"{mine.Code}4", part)).Code);
        Assert.Equal("ok", (await steward.AskAsync($"{mine.Code}5", new ReverseTransaction(paid, "wrong"))).Code);
        Assert.Equal(LedgerCodes.ReversalExceeded, (await steward.AskAsync($"{mine.Code}6", part)).Code);
        Assert.Equal(LedgerCodes.AccountNotEmpty, (await steward.AskAsync($"{mine.Code}7", new CloseAccount(mine.Code, "LMR", "left"))).Code);
        Assert.Equal("ok", (await steward.AskAsync($"{mine.Code}8", new CloseAccount(other.Code, "LMR", "left"))).Code);
        Assert.Equal("ok", (await steward.AskAsync($"{mine.Code}9", new ChangeFloor(mine.Code, "LMR", -5, "credit"))).Code);
        Assert.Equal(LedgerCodes.AccountClosed, (await mine.AskAsync("q", mine.Pays(other.Code, 1))).Code);
        await fixture.App.VerifyAsync();
    }

    [Fact]
    public async Task What_waits_in_suspense_is_paid_out_by_a_steward_once_its_owner_can_take_it()
    {
        var steward = await Person.SignInAsync(fixture.App, fixture.Steward);
        var mine = await Person.NewAsync(fixture.App, 0);
        var suspense = ChartOfAccounts.Suspense(mine.Code);
        await steward.AskAsync($"{mine.Code}1", new FreezeAccount(mine.Code, "LMR", "stolen"));
        await fixture.App.SystemAsync($"earned/{mine.Code}", LedgerHarness.Pay(ChartOfAccounts.Emission, mine.Code, 10));
        Assert.Equal((0, 10), ((await fixture.App.AccountAsync(mine.Code)).Balance, (await fixture.App.AccountAsync(suspense)).Balance));

        Assert.Equal((LedgerCodes.AccountFrozen, "to"), Code(await steward.AskAsync($"{mine.Code}2", Payout(mine, 4))));
        await steward.AskAsync($"{mine.Code}3", new UnfreezeAccount(mine.Code, "LMR", "found"));
        Assert.Equal((LedgerCodes.InsufficientFunds, "amount"), Code(await steward.AskAsync($"{mine.Code}4", Payout(mine, 11))));
        var paid = await steward.AskAsync($"{mine.Code}5", Payout(mine, 4));
        Assert.Equal(("ok", null), Code(paid));
        Assert.Equal(paid with { Replayed = true }, await steward.AskAsync($"{mine.Code}5", Payout(mine, 4)));
        Assert.Equal((4, 6), ((await fixture.App.AccountAsync(mine.Code)).Balance, (await fixture.App.AccountAsync(suspense)).Balance));
        await fixture.App.VerifyAsync();
    }

    [Fact]
    public async Task What_waits_for_a_closed_account_goes_to_a_participant_or_the_treasury_and_nowhere_else()
    {
        var steward = await Person.SignInAsync(fixture.App, fixture.Steward);
        var (gone, heir) = (await Person.NewAsync(fixture.App, 0), await Person.NewAsync(fixture.App, 0));
        await steward.AskAsync($"{gone.Code}1", new CloseAccount(gone.Code, "LMR", "left"));
        await fixture.App.SystemAsync($"earned/{gone.Code}", LedgerHarness.Pay(ChartOfAccounts.Emission, gone.Code, 10));
        var before = (await fixture.App.AccountAsync(ChartOfAccounts.Treasury)).Balance;

        Assert.Equal((LedgerCodes.AccountClosed, "to"), Code(await steward.AskAsync($"{gone.Code}2", Payout(gone, 1))));
        foreach (var payee in (string[])["network/fees", "network/emission", "escrow/x", "chain/solana", ChartOfAccounts.Suspense(heir.Code)])
            Assert.Equal((LedgerCodes.Forbidden, "to"), Code(await steward.AskAsync($"{gone.Code}3", Payout(gone, 1, payee))));
        Assert.Equal((LedgerCodes.InvalidAccount, "to"), Code(await steward.AskAsync($"{gone.Code}3", Payout(gone, 1, "no such/account"))));
        Assert.Equal((LedgerCodes.InvalidRequest, "reason"), Code(await steward.AskAsync($"{gone.Code}3", Payout(gone, 1, heir.Code, ""))));
        var accented = new string('\u00e9', LedgerLimits.ReasonLengthMax);
        Assert.Equal("ok", (await steward.AskAsync($"{gone.Code}4", Payout(gone, 1, heir.Code, accented))).Code);
        Assert.Equal(
            (LedgerCodes.InvalidRequest, "reason"),
            Code(await steward.AskAsync($"{gone.Code}5", Payout(gone, 1, heir.Code, new string('\u20ac', LedgerLimits.ReasonLengthMax)))));
        Assert.Equal((LedgerCodes.IdempotencyConflict, "reason"), Code(await steward.AskAsync($"{gone.Code}4", Payout(gone, 1, heir.Code))));
        Assert.Equal("ok", (await steward.AskAsync($"{gone.Code}6", Payout(gone, 9, ChartOfAccounts.Treasury))).Code);
        Assert.Equal(1, (await fixture.App.AccountAsync(heir.Code)).Balance);
        Assert.Equal(before + 9, (await fixture.App.AccountAsync(ChartOfAccounts.Treasury)).Balance);
        await fixture.App.VerifyAsync();
    }

    [Fact]
    public async Task Everybody_sees_what_waits_for_them_and_nobody_else_does()
    {
        var steward = await Person.SignInAsync(fixture.App, fixture.Steward);
        var (mine, other) = (await Person.NewAsync(fixture.App, 0), await Person.NewAsync(fixture.App, 0));
        await steward.AskAsync($"{mine.Code}1", new FreezeAccount(mine.Code, "LMR", "stolen"));
        await fixture.App.SystemAsync($"earned/{mine.Code}", LedgerHarness.Pay(ChartOfAccounts.Emission, mine.Code, 10));
        var query = $$"""{ account(code: "{{ChartOfAccounts.Suspense(mine.Code)}}") { balance } }""";
        Assert.Equal("10", (await QueryAsync(mine.Client, query)).GetProperty("account").GetProperty("balance").GetString());
        Assert.Equal(JsonValueKind.Null, (await QueryAsync(other.Client, query)).GetProperty("account").ValueKind);
        Assert.Equal(LedgerCodes.Forbidden, (await mine.AskAsync("k", mine.Pays(other.Code, 1) with
        {
            Postings = [new Posting(ChartOfAccounts.Suspense(mine.Code), other.Code, new Amount(1))],
        })).Code);
    }

    private static PostTransaction Payout(Person person, long units, string? to = null, string reason = "theirs") =>
        SuspensePayout.Of(person.Code, to ?? person.Code, new Amount(units), "LMR", reason);

    private static async Task<JsonElement> QueryAsync(HttpClient client, string query)
    {
        using var answer = await client.GetAsync($"/graphql?query={Uri.EscapeDataString(query)}", Ct);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct)).RootElement.GetProperty("data");
    }

    private static DateTimeOffset Tomorrow => DateTimeOffset.UtcNow.AddDays(1);

    private static (string, string?) Code(LedgerAnswer answer) => (answer.Code, answer.Field);

    private static CaptureHold Capture(long hold, string payee, long units) => new(hold, [new HoldPayment(payee, new Amount(units))]);

    private static Dictionary<string, string> Pair(string key, string value) => new(StringComparer.Ordinal) { [key] = value };

    private static async Task<(HttpStatusCode Status, string? Code)> RefusalAsync(
        HttpClient client, string field, object input, string selection)
    {
        using var response = await LedgerGraph.PostAsync(client, field, input, selection, Ct);
        var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct)).RootElement;
        return (response.StatusCode, answer.TryGetProperty("errors", out var errors)
            ? errors[0].GetProperty("extensions").GetProperty("code").GetString()
            : answer.GetProperty("data").GetProperty("it").GetProperty("error").GetProperty("code").GetString());
    }
}
