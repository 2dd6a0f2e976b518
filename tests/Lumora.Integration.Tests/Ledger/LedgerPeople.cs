using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>Somebody with an account who talks to a host.</summary>
internal sealed record Person(HttpClient Client, Actor Actor)
{
    public string Code => ChartOfAccounts.Available(Actor.Id);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Somebody new with <paramref name="units"/>.</summary>
    public static async Task<Person> NewAsync(LumoraApp app, long units)
    {
        var client = app.CreateClient();
        var id = (await new TestWallet().SignInAsync(client, Ct)).ParticipantId;
        var person = new Person(client, new Actor(id, Roles.None));
        await app.SystemAsync($"open/{id}", new OpenAccount(person.Code));
        if (units > 0)
            await app.SystemAsync($"fund/{id}", LedgerHarness.Pay(ChartOfAccounts.Emission, person.Code, units));
        return person;
    }

    public static async Task<Person> SignInAsync(LumoraApp app, TestWallet wallet)
    {
        var client = app.CreateClient();
        return new Person(client, new Actor((await wallet.SignInAsync(client, Ct)).ParticipantId, Roles.Steward));
    }

    public Task<LedgerAnswer> AskAsync(string key, LedgerCommand command, bool dryRun = false) =>
        Client.AskAsync(new LedgerRequest(Actor, key, command), Ct, dryRun);

    public PostTransaction Pays(string to, long units) => new(OwnMoney.TransferKind, [new Posting(Code, to, new Amount(units))]);

    public HoldFunds Holds(long units, DateTimeOffset deadline) => new(OwnMoney.HoldKind, Code, new Amount(units), deadline);
}

internal static class LedgerOfHost
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Asks as the network itself.</summary>
    public static async Task SystemAsync(this LumoraApp app, string key, LedgerCommand command) =>
        Assert.IsType<LedgerOutcome.Posted>(await app.Get<ILedgers>().For(ShardRole.Global).AskAsync(
            new LedgerRequest(Actor.System("test"), key, command)));

    public static async Task<LedgerAccount> AccountAsync(this LumoraApp app, string code) =>
        (await app.Get<LedgerQueries>().AccountAsync(ShardRole.Global, code, ChartOfAccounts.Lmr, Ct))!;

    public static async Task<long> CountAsync(this LumoraApp app, string sql)
    {
        await using var command = app.Get<ShardSessions>().DataSource(ShardRole.Global).CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(Ct), System.Globalization.CultureInfo.InvariantCulture);
    }

    public static async Task VerifyAsync(this LumoraApp app) =>
        Assert.Empty((await app.Get<LedgerVerifier>().VerifyAsync(ShardRole.Global, Ct)).Findings);
}
