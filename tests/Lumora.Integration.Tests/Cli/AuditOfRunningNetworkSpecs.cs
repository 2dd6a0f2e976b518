using Lumora.Api.Rewards;
using Lumora.Chain.Log;
using Lumora.Cli.Audit;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Tasks;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Tasks;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using static Lumora.Integration.Tests.Purchases.MarketRun;

namespace Lumora.Integration.Tests.Cli;

/// <summary>Hosts as they run: what they do is clean, and what they tell otherwise than they log is found.</summary>
public sealed class AuditOfRunningNetworkSpecs(TestDatabases databases)
{
    private const string Confirm = "mutation($input: ConfirmDeliveryInput!) { confirmDelivery(input: $input) { error { code } } }";

    [Fact]
    public async Task A_sale_is_proven_and_a_catalog_or_a_balance_that_differs_from_the_log_is_found()
    {
        await using var run = await StartAsync(databases);
        var (publisher, publisherId) = await run.SignInAsync();
        var dataset = await PublishAsync(publisher, await run.ProposeCollectionAsync(publisherId));
        var (buyer, _) = await run.SignInAsync(5_000_000_000);
        var (purchase, code) = await BuyAsync(buyer, await QuoteAsync(buyer, dataset));
        Assert.Null(code);
        await GrantAsync(buyer, purchase);
        await AskAsync(buyer, Confirm, new { input = new { purchaseId = purchase } });
        await Patience.UntilAsync(async () => await run.BalanceAsync($"escrow/{purchase}") == 0);
        await LoggedAsync(run.App);
        string[] token = ["--token", buyer.DefaultRequestHeaders.Authorization!.Parameter!];

        var said = await AuditAsync(run.App);
        said.Must(0, "proven offline", "entitlements_paid", "1 purchases");
        said.Must(0, "proven offline", "aggregates_same", "1 datasets on sale", "--token");
        (await AuditAsync(run.App, token)).Must(0, "proven offline", "aggregates_same", "7 balances");
        said.MustNot("own_balances_same");

        await ChangeAsync(run.App, "update mt_doc_datasetview set data = jsonb_set(data, '{title}', '\"Better pages\"')");
        (await AuditAsync(run.App)).Must(1, "WRONG", $"dataset {dataset}", "the server says title Better pages, the log Some pages");
        await ChangeAsync(run.App, "update mt_doc_datasetview set data = jsonb_set(data, '{title}', '\"Some pages\"')");
        await ChangeAsync(run.App, "update ledger_entry set balance = balance + 1 where account = (select number from ledger_account where code = 'network/fees')");
        (await AuditAsync(run.App, token)).Must(1, "WRONG", "account network/fees", "of the journal the server says");
        await LoggedAsync(run.App);
    }

    [Fact]
    public async Task Ones_own_balance_is_that_of_the_log_and_another_one_is_found()
    {
        await using var run = await StartAsync(databases);
        var (owner, id) = await run.SignInAsync(5_000_000_000);
        var (poor, poorId) = await run.SignInAsync();
        await LoggedAsync(run.App);
        using var token = new TokenFile(TokenOf(owner));
        (await AuditAsync(run.App, "--token", token.Path)).Must(
            0, "proven offline", "own_balances_same", $"5000000000 base units of LMR on participant/{id}/available at version");
        (await AuditAsync(run.App, "--token", TokenOf(poor))).Must(0, "proven offline", "own_balances_same", $"the same 0 base units of LMR on participant/{poorId}/available");
        (await AuditAsync(run.App)).MustNot("own_balances_same");

        await ChangeAsync(run.App, $"update ledger_entry set balance = balance + 1 where account = (select number from ledger_account where code = 'participant/{id}/available')");
        var said = await AuditAsync(run.App, "--token", token.Path);
        said.Must(1, "WRONG", $"account participant/{id}/available", "the server says 5000000001, the log 5000000000");
        said.Must(1, "not proven", "own_balances_same");
    }

    [Fact]
    public async Task A_journal_that_has_gone_on_since_is_asked_for_the_place_where_the_audited_log_ends()
    {
        await using var run = await StartAsync(databases);
        var (owner, id) = await run.SignInAsync(5_000_000_000);
        await LoggedAsync(run.App);
        var home = Path.Combine(run.App.Home, "log", ShardMap.DefaultShard);
        var old = Directory.EnumerateFiles(home, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(home, file), File.ReadAllBytes, StringComparer.Ordinal);
        await using var server = await ForgedServer.StartAsync();
        (server.GraphQL, server.Instead) = (run.App.Address, path => old.GetValueOrDefault(path));
        await run.SignInAsync(7_000_000_000);
        var posting = new Posting(ChartOfAccounts.Emission, ChartOfAccounts.Available(id), new Amount(1));
        await run.App.Get<ILedgers>().For(ShardRole.Global).SubmitAsync(
            new LedgerRequest(Actor.System("test"), "more", new PostTransaction("test_funding", [posting])), TestContext.Current.CancellationToken);
        Assert.Equal(5_000_000_001, await run.BalanceAsync(ChartOfAccounts.Available(id)));
        var key = run.App.Get<ShardLogs>().Find(ShardMap.DefaultShard)!.Key.ToString();
        (await LoggedHost.RunAsync(AuditCommand.Create(), "--server", server.Address, "--key", key, "--token", TokenOf(owner)))
            .Must(0, "proven offline", "own_balances_same", "the same 5000000000 base units");
    }

    [Fact]
    public async Task Rewards_of_a_running_network_follow_the_formula_and_totals_that_differ_are_found()
    {
        await using var fixture = new WorkFixture(databases);
        await fixture.InitializeAsync();
        await WorkAsync(fixture, 5_000);
        await RefusedAsync(fixture);
        await WorkAsync(fixture, 90_001);
        var closer = fixture.App.Get<IEpochCloser>();
        var ct = TestContext.Current.CancellationToken;
        var first = await closer.CurrentEpochAsync(ct);
        Assert.Null((await closer.CloseAsync(new CloseEpoch(WorkFixture.Steward, first, "end of a test", "close-1"), ct)).Rejection);
        await WorkAsync(fixture, 7_000);
        fixture.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Null((await closer.CloseAsync(new CloseEpoch(WorkFixture.Steward, first + 1, "end of a test", "close-2"), ct)).Rejection);
        await LoggedAsync(fixture.App);

        var said = await AuditAsync(fixture.App, "--epoch-seconds", "86400");
        said.Must(0, "proven offline", "rewards_by_formula", "2 epochs");
        said.Must(0, "proven offline", "aggregates_same", "2 closed epochs");
        await ChangeAsync(fixture.App, $"update reward_epoch set paid = paid + 1 where epoch = {first}");
        (await AuditAsync(fixture.App)).Must(1, "WRONG", $"epoch {first}", "the server says paid");
        await ChangeAsync(fixture.App, $"delete from reward_epoch where epoch = {first}");
        (await AuditAsync(fixture.App)).Must(1, "WRONG", $"epoch {first}", "the server does not tell it");
    }

    private static string TokenOf(HttpClient client) => client.DefaultRequestHeaders.Authorization!.Parameter!;

    private static async Task WorkAsync(WorkFixture fixture, int bytes)
    {
        var node = await fixture.NodeAsync();
        await fixture.CollectionAsync(pages: 1);
        var lease = await node.LeaseAsync();
        await node.DeliverAsync(lease, bytes);
        await fixture.TaskInAsync(lease.TaskId, TaskPhase.Accepted);
    }

    // A node that is refused once and accepted then: its quality is less, and no event of the epoch says so but the refusal.
    private static async Task RefusedAsync(WorkFixture fixture)
    {
        var node = await fixture.NodeAsync();
        await fixture.CollectionAsync(pages: 1);
        var lease = await node.LeaseAsync();
        var (ciphertext, result) = await node.WorkAsync(lease, field: "heading");
        using var uploaded = await node.UploadAsync(lease.LeaseId, ciphertext);
        using var completed = await node.CompleteAsync(result);
        Assert.True(completed.IsSuccessStatusCode);
        await Patience.ForAsync(async () => await fixture.TaskAsync(lease.TaskId) is { Phase: not TaskPhase.Completed and not TaskPhase.Leased } task ? task : null);
        fixture.Clock.Advance(TimeSpan.FromMinutes(10));
        lease = await node.LeaseAsync();
        await node.DeliverAsync(lease, 60_000);
        await fixture.TaskInAsync(lease.TaskId, TaskPhase.Accepted);
    }

    /// <summary>Waits until every event is in a published checkpoint.</summary>
    private static async Task LoggedAsync(LumoraApp app)
    {
        await using var command = app.Get<ShardSessions>().DataSource(ShardRole.Global).CreateCommand("select count(*) from mt_events");
        using var limit = new CancellationTokenSource(Patience.Time);
        await app.Get<ShardLogs>().WaitForLargerAsync(ShardMap.DefaultShard, (long)(await command.ExecuteScalarAsync(limit.Token))! - 1, limit.Token);
    }

    private static async Task ChangeAsync(LumoraApp app, string sql)
    {
        await using var command = app.Get<ShardSessions>().DataSource(ShardRole.Global).CreateCommand(sql);
        Assert.True(await command.ExecuteNonQueryAsync() > 0, sql);
    }

    private static Task<Said> AuditAsync(LumoraApp app, params string[] more) => LoggedHost.RunAsync(
        AuditCommand.Create(),
        ["--server", app.Address.AbsoluteUri.TrimEnd('/'), "--key", app.Get<ShardLogs>().Find(ShardMap.DefaultShard)!.Key.ToString(), .. more]);
}
