using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Lumora.Integration.Tests.Deposits;

/// <summary>The development faucet as a caller of the API meets it.</summary>
public sealed class FaucetSpecs(DepositSpecs.Fixture fixture) : IClassFixture<DepositSpecs.Fixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_credited_once_however_often_its_key_is_used()
    {
        var ct = TestContext.Current.CancellationToken;
        using var wallet = await DepositClient.SignInAsync(fixture.App, ct);
        var signature = await wallet.PaidAsync("first", null, ct);
        var same = await Task.WhenAll(wallet.PaidAsync("first", null, ct), wallet.PaidAsync("first", null, ct));
        Assert.All(same, again => Assert.Equal(signature, again));
        await wallet.BalanceReachesAsync(100_000_000_000, ct);

        // The next one is credited after the first ones would have been.
        Assert.NotEqual(signature, await wallet.PaidAsync("second", 1_000_000_000_000, ct));
        await wallet.BalanceReachesAsync(1_100_000_000_000, ct);
        Assert.Equal("idempotency_conflict", await wallet.RefusedAsync("second", 1, ct));
    }

    [Fact]
    public async Task Equal_requests_with_different_keys_at_the_same_time_are_different_transfers()
    {
        var ct = TestContext.Current.CancellationToken;
        using var wallet = await DepositClient.SignInAsync(fixture.App, ct);
        var signatures = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(i => wallet.PaidAsync($"key-{i.ToString(CultureInfo.InvariantCulture)}", 5, ct)));
        Assert.Equal(4, signatures.Distinct(StringComparer.Ordinal).Count());
        await wallet.BalanceReachesAsync(20, ct);
    }

    [Fact]
    public async Task What_is_asked_in_vain_is_a_coded_error()
    {
        var ct = TestContext.Current.CancellationToken;
        using var wallet = await DepositClient.SignInAsync(fixture.App, ct);
        Assert.Equal("invalid_amount", await wallet.RefusedAsync("over", 1_000_000_000_001, ct));
        Assert.Equal("invalid_amount", await wallet.RefusedAsync("none", 0, ct));
        Assert.Equal("invalid_key", await wallet.RefusedAsync("", 1, ct));
        // Six at most fill a day; the other six are for a test that runs over midnight.
        var paid = 0;
        string? refusal = null;
        for (; paid < 12 && refusal is null; paid += refusal is null ? 1 : 0)
            refusal = await wallet.TryAsync($"day-{paid.ToString(CultureInfo.InvariantCulture)}", 1_000_000_000_000, ct);
        Assert.Equal("faucet_limit", refusal);
        await wallet.PaidAsync("day-0", 1_000_000_000_000, ct);
    }

    [Fact]
    public async Task A_stranger_gets_nothing()
    {
        using var nobody = fixture.App.CreateClient();
        foreach (var document in (string[])[
            """mutation { requestFaucet(input: { idempotencyKey: "x" }) { signature } }""", "{ depositCode { code } }"])
        {
            var answer = await DepositClient.AskAsync(nobody, document, HttpStatusCode.Unauthorized, Ct);
            Assert.Equal(
                "UNAUTHENTICATED",
                answer.GetProperty("errors")[0].GetProperty("extensions").GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task A_code_names_one_participant_until_a_deposit_came_with_it()
    {
        var ct = TestContext.Current.CancellationToken;
        using var wallet = await DepositClient.SignInAsync(fixture.App, ct);
        using var other = await DepositClient.SignInAsync(fixture.App, ct);
        await wallet.PaidAsync("any", 1, ct);
        await wallet.BalanceReachesAsync(1, ct);
        var mine = await wallet.DepositCodeAsync(ct);
        Assert.Equal(mine.GetRawText(), (await wallet.DepositCodeAsync(ct)).GetRawText());
        Assert.NotEqual(JsonValueKind.Null, mine.GetProperty("mint").ValueKind);
        var theirs = await other.DepositCodeAsync(ct);
        Assert.Equal(mine.GetProperty("treasuryAccount").GetString(), theirs.GetProperty("treasuryAccount").GetString());
        Assert.NotEqual(mine.GetProperty("code").GetString(), theirs.GetProperty("code").GetString());
    }
}
