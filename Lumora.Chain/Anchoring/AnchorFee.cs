using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;

namespace Lumora.Chain.Anchoring;

/// <summary>The priority fee of an anchor's transaction, as <c>Anchoring:PriorityFee</c> has it.</summary>
internal sealed class AnchorFee(SolanaCluster cluster, AnchoringOptions options)
{
    // Three of four transactions paid no more.
    private const int Percentile = 75;

    /// <summary>Micro-lamports a compute unit; 0 for none.</summary>
    public async Task<ulong> PriceAsync(PublicKey payer, CancellationToken ct)
    {
        if (!options.IsPriorityFeeAutomatic)
            return (ulong)options.PriorityFeeMicroLamports;
        var paid = await cluster.AnyAsync(server => server.GetRecentPrioritizationFeesAsync([payer], ct));
        // A server that makes fees up costs us the limit at most.
        return Math.Min(Lately(paid), (ulong)options.PriorityFeeMax);
    }

    private static ulong Lately(IReadOnlyList<PrioritizationFee> paid) => paid.Count == 0
        ? 0
        : paid.Select(fee => fee.MicroLamports).Order().ElementAt((paid.Count - 1) * Percentile / 100);
}
