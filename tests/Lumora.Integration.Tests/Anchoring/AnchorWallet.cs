using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Anchoring;

/// <summary>The anchor key of a home, with SOL from the local chain's faucet as an operator would send it.</summary>
internal static class AnchorWallet
{
    public static async Task<PublicKey> FundAsync(string home, IRpcClient rpc, ulong lamports)
    {
        var key = KeypairFile.LoadOrCreate(Path.Combine(home, "keys", "solana-anchor.json")).PublicKey;
        var before = (await rpc.GetBalanceAsync(key, Commitment.Confirmed)).Value;
        await rpc.RequestAirdropAsync(key, lamports);
        await Patience.UntilAsync(async () => (await rpc.GetBalanceAsync(key, Commitment.Confirmed)).Value >= before + lamports);
        return key;
    }
}
