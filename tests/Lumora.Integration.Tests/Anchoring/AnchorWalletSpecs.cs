using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Chain.Anchoring;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Solana;
using Lumora.Projections.Anchoring;

namespace Lumora.Integration.Tests.Anchoring;

public sealed class AnchorWalletSpecs(AnchorWalletSpecs.Fixture fixture) : IClassFixture<AnchorWalletSpecs.Fixture>
{
    private const ulong Lamports = 50_000_000;
    private const int ComputeUnits = 120_000;
    private const int MicroLamports = 250_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wallet_that_runs_low_is_told_in_health_and_metrics_and_stops_no_anchor()
    {
        await AnchorAsync();
        var anchoring = await HealthAsync();
        Assert.Equal("degraded", anchoring.GetProperty("status").GetString());
        Assert.Contains("anchor_wallet_low", anchoring.ToString(), StringComparison.Ordinal);
        Assert.Contains("anchor_wallet_lamports", await fixture.Client.GetStringAsync("/metrics", Ct), StringComparison.Ordinal);
        await AnchorAsync();

        await AnchorWallet.FundAsync(fixture.App.Home, fixture.Solana.Rpc, 1_000_000_000);
        while (fixture.App.Get<AnchorStatus>().WalletLow is not null)
            await AnchorAsync();
        Assert.Equal("healthy", (await HealthAsync()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task The_priority_fee_and_the_compute_units_of_the_settings_stand_in_the_transaction_and_are_paid()
    {
        var anchor = await AnchorAsync();
        var transaction = Transaction.Deserialize(Convert.FromBase64String(anchor.RawTransaction!));
        var budget = transaction.DataFor(ComputeBudgetProgram.ProgramId).Select(Convert.ToHexString).ToList();
        Assert.Equal(
            [
                Convert.ToHexString(ComputeBudgetProgram.SetComputeUnitLimit(ComputeUnits).Data),
                Convert.ToHexString(ComputeBudgetProgram.SetComputeUnitPrice(MicroLamports).Data),
            ],
            budget);
    }

    [Theory]
    [InlineData("Anchoring:PriorityFee", "much")]
    [InlineData("Anchoring:PriorityFee", "-1")]
    [InlineData("Anchoring:ComputeUnitLimit", "1400001")]
    [InlineData("Anchoring:LowBalanceLamports", "-1")]
    public void Settings_out_of_range_are_named(string key, string value)
    {
        var options = new AnchoringOptions();
        var property = typeof(AnchoringOptions).GetProperty(key["Anchoring:".Length..])!;
        property.SetValue(options, Convert.ChangeType(value, property.PropertyType, System.Globalization.CultureInfo.InvariantCulture));
        Assert.StartsWith(key, options.Fault(), StringComparison.Ordinal);
        Assert.Null(new AnchoringOptions { PriorityFee = "auto" }.Fault());
    }

    private async Task<AnchorView> AnchorAsync()
    {
        var watch = new AnchorWatch(fixture.App, () => fixture.Solana.Rpc);
        return await watch.FinalizedAsync(await watch.AppendAsync("wallet"));
    }

    private async Task<JsonElement> HealthAsync()
    {
        var report = await fixture.Client.GetFromJsonAsync<JsonElement>("/readyz", Ct);
        return report.GetProperty("checks").GetProperty("anchoring");
    }

    /// <summary>A host on a cluster that gives nothing away, with little SOL.</summary>
    public sealed class Fixture(TestDatabases databases) : IAsyncLifetime
    {
        private readonly string _home = Path.Combine(Path.GetTempPath(), $"lumora-wallet-{Guid.NewGuid():N}");

        public LocalSolana Solana { get; } = new();

        public LumoraApp App { get; private set; } = null!;

        public HttpClient Client { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            await Solana.StartAsync();
            await AnchorWallet.FundAsync(_home, Solana.Rpc, Lamports);
            App = new LumoraApp(await databases.CreateAsync(), _home, new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Solana:Endpoints"] = Solana.Rpc.NodeAddress.ToString(),
                ["Anchoring:IntervalMs"] = "100",
                ["Anchoring:PollMs"] = "20",
                ["Anchoring:LowBalanceLamports"] = "100000000",
                ["Anchoring:PriorityFee"] = $"{MicroLamports}",
                ["Anchoring:ComputeUnitLimit"] = $"{ComputeUnits}",
            });
            await App.StartAsync();
            Client = App.CreateClient();
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await App.DisposeAsync();
            await Solana.DisposeAsync();
            Directory.Delete(_home, recursive: true);
        }
    }
}
