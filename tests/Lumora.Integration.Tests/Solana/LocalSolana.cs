using Lumora.Api.Solana;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Lumora.Integration.Tests.Solana;

/// <summary>
/// A real local Solana with short slots, started by the code that starts it in the host. Its packages are installed
/// once per machine.
/// </summary>
public sealed class LocalSolana : IAsyncLifetime
{
    /// <summary>Where the tests' packages are installed.</summary>
    public static readonly string Packages = Path.Combine(Path.GetTempPath(), $"lumora-devstack-{Environment.UserName}");

    private WebApplication? _app;

    /// <summary>The state folder.</summary>
    public string Home { get; } = Path.Combine(Path.GetTempPath(), $"lumora-solana-{Guid.NewGuid():N}");

    /// <summary>Short slots: finality takes a fifth of a second.</summary>
    public static IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["Solana:Embedded"] = "true",
        ["Solana:SlotMs"] = "25",
        ["Solana:FinalitySlots"] = "8",
        ["Solana:DevstackFolder"] = Packages,
    };

    public SolanaConnection Connection => _app!.Services.GetRequiredService<SolanaConnection>();

    public IRpcClient Rpc => Connection.Current!.Servers[0];

    public StreamingRpcClient Streaming =>
        new(new UriBuilder(Rpc.NodeAddress) { Scheme = "ws" }.Uri);

    public async ValueTask InitializeAsync() => await StartAsync();

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(Settings);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(new LumoraHome(Home));
        builder.AddSolana();
        _app = builder.Build();
        await _app.StartAsync();
        using var limit = new CancellationTokenSource(Patience.Time);
        await Connection.WaitAsync(limit.Token);
    }

    public async Task StopAsync()
    {
        await _app!.StopAsync();
        await _app.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Home, recursive: true);
    }

    /// <summary>A new wallet with SOL for fees.</summary>
    public async Task<Keypair> FundedWalletAsync(CancellationToken ct)
    {
        var wallet = Keypair.Generate();
        var signature = await Rpc.RequestAirdropAsync(wallet.PublicKey, 2_000_000_000, ct);
        await Streaming.SignatureAsync(signature, Commitment.Finalized, ct);
        return wallet;
    }

    /// <summary>Builds, sends and waits until finalized; returns the signature.</summary>
    public async Task<string> SendAsync(
        Keypair payer, IEnumerable<TransactionInstruction> instructions, CancellationToken ct, params Keypair[] signers)
    {
        var blockhash = await Rpc.GetLatestBlockhashAsync(Commitment.Confirmed, ct);
        var builder = new TransactionBuilder().SetFeePayer(payer.PublicKey).SetRecentBlockHash(blockhash.Value.Blockhash);
        foreach (var instruction in instructions)
            builder.AddInstruction(instruction);
        var signature = await Rpc.SendTransactionAsync(builder.Build([payer, .. signers]).Serialize(), ct: ct);
        Assert.Null((await Streaming.SignatureAsync(signature, Commitment.Finalized, ct)).Value);
        return signature;
    }
}
