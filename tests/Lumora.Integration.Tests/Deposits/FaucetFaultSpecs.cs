using System.Net.Http.Json;
using Lumora.Chain.Solana;
using Lumora.Projections.Deposits;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Deposits;

/// <summary>The faucet on a chain that fails: one key is one payment, whatever was lost on the way.</summary>
public sealed class FaucetFaultSpecs(DepositSpecs.Fixture fixture) : IClassFixture<DepositSpecs.Fixture>
{
    private const long Usual = 100_000_000_000;

    [Fact]
    public async Task A_transfer_that_was_stored_and_not_sent_is_sent_by_the_next_request()
    {
        var ct = TestContext.Current.CancellationToken;
        using var wallet = await DepositClient.SignInAsync(fixture.App, ct);
        var stored = await StoredAndNotSentAsync(wallet, ct);
        await FaultAsync(new { kind = "clear" }, ct);
        Assert.Equal(stored, await wallet.PaidAsync("key", null, ct));
        await wallet.BalanceReachesAsync(Usual, ct);
    }

    [Fact]
    public async Task A_transfer_that_can_no_longer_land_is_signed_again_and_paid_once()
    {
        var ct = TestContext.Current.CancellationToken;
        using var wallet = await DepositClient.SignInAsync(fixture.App, ct);
        var stored = await StoredAndNotSentAsync(wallet, ct);
        await FaultAsync(new { kind = "expire" }, ct);
        await FaultAsync(new { kind = "clear" }, ct);
        var paid = await wallet.PaidAsync("key", null, ct);
        Assert.NotEqual(stored, paid);
        Assert.Equal(paid, await wallet.PaidAsync("key", null, ct));
        await wallet.PaidAsync("later", 1, ct);
        await wallet.BalanceReachesAsync(Usual + 1, ct);
    }

    [Fact]
    public async Task A_transfer_whose_sending_was_not_noted_is_found_on_the_chain_even_after_it_expired()
    {
        var ct = TestContext.Current.CancellationToken;
        using var wallet = await DepositClient.SignInAsync(fixture.App, ct);
        var paid = await wallet.PaidAsync("key", null, ct);
        await wallet.BalanceReachesAsync(Usual, ct);
        // As a crash between the answer of the chain and the commit leaves it.
        await using var forget = fixture.App.Get<ShardSessions>().DataSource(ShardRole.Global)
            .CreateCommand("update faucet_payment set is_sent = false where signature = $1");
        forget.Parameters.Add(new() { Value = paid });
        Assert.Equal(1, await forget.ExecuteNonQueryAsync(ct));
        await FaultAsync(new { kind = "expire" }, ct);

        Assert.Equal(paid, await wallet.PaidAsync("key", null, ct));
        await wallet.PaidAsync("later", 1, ct);
        await wallet.BalanceReachesAsync(Usual + 1, ct);
    }

    [Fact]
    public async Task A_chain_that_hangs_is_said_to_be_unavailable_while_the_caller_still_listens()
    {
        var ct = TestContext.Current.CancellationToken;
        using var wallet = await DepositClient.SignInAsync(fixture.App, ct);
        await wallet.PaidAsync("first", 1, ct);
        await FaultAsync(new { kind = "delay", method = "getLatestBlockhash", ms = 8_000, count = 100 }, ct);
        Assert.Equal("faucet_unavailable", await wallet.OnceAsync("key", ct));
        await FaultAsync(new { kind = "clear" }, ct);
        await wallet.PaidAsync("key", null, ct);
        await wallet.BalanceReachesAsync(Usual + 1, ct);
    }

    /// <summary>A request that ends after its transfer was stored, and the stored signature.</summary>
    private async Task<string> StoredAndNotSentAsync(DepositClient wallet, CancellationToken ct)
    {
        // The token is there once something was paid; a refusal below is then the ordered one.
        using var first = await DepositClient.SignInAsync(fixture.App, ct);
        await first.PaidAsync("first", 1, ct);
        await FaultAsync(new { kind = "error", method = "sendTransaction", count = 100_000, code = -32005, message = "ordered" }, ct);
        Assert.Equal("faucet_unavailable", await wallet.OnceAsync("key", ct));
        var sessions = fixture.App.Get<ShardSessions>();
        var stored = await FaucetPayments.FindAsync(sessions, wallet.ParticipantId, "key", ct);
        Assert.False(stored!.IsSent);
        Assert.Equal("faucet_unavailable", await wallet.OnceAsync("key", ct));
        return stored.Signature;
    }

    private async Task FaultAsync(object order, CancellationToken ct)
    {
        using var http = new HttpClient();
        var server = (await fixture.App.Get<SolanaConnection>().WaitAsync(ct)).Servers[0].NodeAddress;
        using var answer = await http.PostAsJsonAsync(
            server, new { jsonrpc = "2.0", id = 1, method = "devstackFault", @params = new[] { order } }, ct);
        Assert.True(answer.IsSuccessStatusCode);
    }
}
