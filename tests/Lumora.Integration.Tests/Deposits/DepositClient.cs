using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Deposits;

/// <summary>A participant who deposits, over GraphQL.</summary>
public sealed class DepositClient : IDisposable
{
    private readonly HttpClient _http;

    private DepositClient(HttpClient http, string participantId) => (_http, ParticipantId) = (http, participantId);

    public string ParticipantId { get; }

    public static async Task<DepositClient> SignInAsync(LumoraApp app, CancellationToken ct, TestWallet? wallet = null)
    {
        var http = app.CreateClient();
        return new DepositClient(http, (await (wallet ?? new TestWallet()).SignInAsync(http, ct)).ParticipantId);
    }

    public static async Task<JsonElement> AskAsync(
        HttpClient http, string document, HttpStatusCode status, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/graphql");
        request.Content = JsonContent.Create(new { query = document });
        request.Headers.Accept.ParseAdd("application/graphql-response+json");
        using var answer = await http.SendAsync(request, ct);
        Assert.Equal(status, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
    }

    /// <summary>Asks the faucet; the signature.</summary>
    public async Task<string> PaidAsync(string key, long? amount, CancellationToken ct)
    {
        var payload = await AskFaucetAsync(key, amount, ct);
        Assert.Null(CodeOf(payload));
        return payload.GetProperty("signature").GetString()!;
    }

    /// <summary>Asks the faucet; the code of its refusal, or null when it paid.</summary>
    public async Task<string?> TryAsync(string key, long amount, CancellationToken ct) =>
        CodeOf(await AskFaucetAsync(key, amount, ct));

    /// <summary>Asks the faucet a single time for the usual; the code of its refusal, or null when it paid.</summary>
    public async Task<string?> OnceAsync(string key, CancellationToken ct) =>
        CodeOf(await AskFaucetOnceAsync(key, null, ct));

    /// <summary>Asks the faucet for what it refuses; the code.</summary>
    public async Task<string?> RefusedAsync(string key, long amount, CancellationToken ct)
    {
        var payload = await AskFaucetAsync(key, amount, ct);
        Assert.Equal(JsonValueKind.Null, payload.GetProperty("signature").ValueKind);
        return CodeOf(payload);
    }

    public async Task<JsonElement> DepositCodeAsync(CancellationToken ct) =>
        (await DataAsync("{ it: depositCode { code treasuryAccount mint } }", ct)).GetProperty("it");

    /// <summary>The balance of an account in base units; 0 where there is no such account.</summary>
    public async Task<long> BalanceAsync(string code, CancellationToken ct)
    {
        var account = (await DataAsync($$"""{ it: account(code: "{{code}}") { balance } }""", ct)).GetProperty("it");
        return account.ValueKind == JsonValueKind.Null
            ? 0
            : long.Parse(account.GetProperty("balance").GetString()!, CultureInfo.InvariantCulture);
    }

    /// <summary>The participant's own balance.</summary>
    public Task<long> BalanceAsync(CancellationToken ct) => BalanceAsync($"participant/{ParticipantId}/available", ct);

    /// <summary>Waits until the own balance is exactly this; more than that is a failure.</summary>
    public Task BalanceReachesAsync(long units, CancellationToken ct) => Patience.UntilAsync(async () =>
    {
        var balance = await BalanceAsync(ct);
        Assert.True(balance <= units, $"{balance} of {units} credited");
        return balance == units;
    });

    public void Dispose() => _http.Dispose();

    private static string? CodeOf(JsonElement payload) =>
        payload.GetProperty("error") is { ValueKind: JsonValueKind.Object } error
            ? error.GetProperty("code").GetString()
            : null;

    /// <summary>Asks again while the answer is that the chain is not there yet.</summary>
    private async Task<JsonElement> AskFaucetAsync(string key, long? amount, CancellationToken ct)
    {
        JsonElement payload = default;
        await Patience.UntilAsync(async () => CodeOf(payload = await AskFaucetOnceAsync(key, amount, ct)) != "faucet_unavailable");
        return payload;
    }

    private async Task<JsonElement> AskFaucetOnceAsync(string key, long? amount, CancellationToken ct)
    {
        var argument = amount is { } units ? $", amount: \"{units.ToString(CultureInfo.InvariantCulture)}\"" : "";
        var document = $"mutation {{ it: requestFaucet(input: {{ idempotencyKey: \"{key}\"{argument} }}) "
            + "{ signature error { code message field } } }";
        return (await DataAsync(document, ct)).GetProperty("it");
    }

    private async Task<JsonElement> DataAsync(string document, CancellationToken ct) =>
        (await AskAsync(_http, document, HttpStatusCode.OK, ct)).GetProperty("data");
}
