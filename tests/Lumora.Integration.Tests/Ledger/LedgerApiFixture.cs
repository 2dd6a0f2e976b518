using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>A host with one steward, and callers of every kind.</summary>
public sealed class LedgerApiFixture(TestDatabases databases) : AppFixture(databases)
{
    public static readonly Actor Network = Actor.System("test");

    public TestWallet Steward { get; } = new();

    public ILedger Ledger => App.Get<ILedgers>().For(ShardRole.Global);

    protected override IReadOnlyDictionary<string, string> Settings =>
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Lumora:Stewards:0"] = Steward.Address,
            ["Lumora:Identity:AttemptsPerMinute"] = "1000",
        };

    /// <summary>Somebody new with an account of nothing.</summary>
    public async Task<(HttpClient Client, string Id)> ParticipantAsync(CancellationToken ct)
    {
        var client = App.CreateClient();
        var id = (await new TestWallet().SignInAsync(client, ct)).ParticipantId;
        await PostedAsync($"open/{id}", new OpenAccount(ChartOfAccounts.Available(id)));
        return (client, id);
    }

    public async Task<HttpClient> StewardAsync(CancellationToken ct)
    {
        var client = App.CreateClient();
        await Steward.SignInAsync(client, ct);
        return client;
    }

    /// <summary>Somebody to whom the steward gave the role of an auditor.</summary>
    public async Task<HttpClient> AuditorAsync(CancellationToken ct)
    {
        var (client, wallet) = (App.CreateClient(), new TestWallet());
        var id = (await wallet.SignInAsync(client, ct)).ParticipantId;
        using var steward = await StewardAsync(ct);
        var grant = $$"""
            mutation { grantRole(input: { participantId: "{{id}}", role: AUDITOR, reason: "Elected." }) { error { code } } }
            """;
        using var granted = await steward.PostAsJsonAsync("/graphql", new { query = grant }, ct);
        granted.EnsureSuccessStatusCode();
        await wallet.SignInAsync(client, ct);
        return client;
    }

    public async Task<LedgerOutcome.Posted> PostedAsync(string key, LedgerCommand command) =>
        Assert.IsType<LedgerOutcome.Posted>(await Ledger.AskAsync(new LedgerRequest(Network, key, command)));

    /// <summary>The answer, errors included.</summary>
    public static async Task<JsonElement> AskAsync(HttpClient client, string query, CancellationToken ct)
    {
        using var response = await client.PostAsJsonAsync("/graphql", new { query }, ct);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(ct)).RootElement;
    }
}
