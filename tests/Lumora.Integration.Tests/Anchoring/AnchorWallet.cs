using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;

namespace Lumora.Integration.Tests.Anchoring;

/// <summary>The anchor key of a home, with SOL from the local chain's faucet as an operator would send it.</summary>
internal static class AnchorWallet
{
    public static async Task<PublicKey> FundAsync(string home, IRpcClient rpc, ulong lamports)
    {
        var key = KeypairFile.LoadOrCreate(Path.Combine(home, "keys", "solana-anchor.json")).PublicKey;
        var before = (await rpc.GetBalanceAsync(key, Commitment.Confirmed)).Value;
        await rpc.RequestAirdropAsync(key, lamports);
        while ((await rpc.GetBalanceAsync(key, Commitment.Confirmed)).Value < before + lamports)
            await Task.Delay(20);
        return key;
    }
}
