using Lumora.Chain.Deposits;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Domain.Kernel;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Solana;
using Lumora.Projections.Deposits;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Deposits;

public sealed class DepositRestartSpecs(TestDatabases databases)
{
    private const long Usual = 100_000_000_000;

    [Fact]
    public async Task A_transfer_before_a_restart_is_credited_after_it_and_reading_it_again_credits_nothing_more()
    {
        var ct = TestContext.Current.CancellationToken;
        var connection = await databases.CreateAsync();
        var home = Path.Combine(Path.GetTempPath(), $"lumora-deposits-{Guid.NewGuid():N}");
        var wallet = new TestWallet();
        try
        {
            string signature;
            // Half a minute to finality: the host stops before it.
            await using (var app = new LumoraApp(connection, home, Settings(slotMs: 200, finalitySlots: 150)))
            {
                await app.StartAsync();
                using var client = await DepositClient.SignInAsync(app, ct, wallet);
                signature = await client.PaidAsync("first", null, ct);
                Assert.Equal(0, await client.BalanceAsync(ct));
            }

            await using (var app = new LumoraApp(connection, home, Settings(slotMs: 25, finalitySlots: 8)))
            {
                await app.StartAsync();
                using var client = await DepositClient.SignInAsync(app, ct, wallet);
                await client.BalanceReachesAsync(Usual, ct);
                Assert.Equal(signature, await client.PaidAsync("first", null, ct));

                await ForgetCursorAsync(app, ct);
                await client.PaidAsync("second", 7, ct);
                await client.BalanceReachesAsync(Usual + 7, ct);
                Assert.Equal(-Usual - 7, await client.BalanceAsync("chain/solana", ct));
                Assert.Equal(Usual + 7, await TreasuryAsync(app, ct));
            }
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    private static async Task ForgetCursorAsync(LumoraApp app, CancellationToken ct)
    {
        await using var session = app.Get<ShardSessions>().Open(ShardRole.Global, Actor.System("test"));
        session.DeleteWhere<DepositCursor>(cursor => cursor.Signature != "");
        await session.SaveChangesAsync(ct);
    }

    private static async Task<long> TreasuryAsync(LumoraApp app, CancellationToken ct)
    {
        var server = app.Get<SolanaConnection>().Current!.Servers[0];
        var account = app.Get<DepositWatcher>().Token!.TreasuryAccount;
        return (long)(await server.GetTokenAccountBalanceAsync(account, Commitment.Finalized, ct)).Value.Amount;
    }

    private static Dictionary<string, string> Settings(int slotMs, int finalitySlots) =>
        new(LocalSolana.Settings.ToDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal))
        {
            ["Solana:SlotMs"] = slotMs.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["Solana:FinalitySlots"] = finalitySlots.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
}
