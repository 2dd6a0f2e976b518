using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Api.Identity;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Lumora.Projections.Participants;

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

    /// <summary>Participant <paramref name="id"/> with a token of a quarter of an hour ago.</summary>
    public async Task<HttpClient> ExpiredAsync(string id, CancellationToken ct)
    {
        var participant = await App.Get<ParticipantDirectory>().FindAsync(id, ct);
        var (token, _) = App.Get<AccessTokens>().Issue(participant!, DateTimeOffset.UtcNow.AddMinutes(-16));
        var client = App.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
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
