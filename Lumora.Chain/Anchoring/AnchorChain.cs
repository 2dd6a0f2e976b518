using System.Text;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Domain.Anchoring;

namespace Lumora.Chain.Anchoring;

/// <summary>
/// The chain's side of an anchor: transactions to sign, what became of them, what stands there for good. Whatever decides
/// whether a second transaction may be signed is what more than half of the servers say.
/// </summary>
internal sealed class AnchorChain(SolanaCluster cluster, Keypair key, AnchoringOptions options)
{
    private const ulong LamportsLow = 100_000_000;
    private const ulong LamportsOfAirdrop = 10_000_000_000;

    // MAX_PROCESSING_AGE, and some blocks for a quorum that is behind the server that gave the hash.
    private const ulong BlockhashBlocksMax = 150 + 32;

    public string GenesisHash => cluster.GenesisHash;

    /// <summary>Signs a transaction with the memo; <c>Attempt</c> is the decider's to set.</summary>
    public async Task<AnchorSigned> SignAsync(string memo, DateTimeOffset now, CancellationToken ct)
    {
        var latest = await BlockhashAsync(ct);
        var builder = new TransactionBuilder().SetFeePayer(key.PublicKey).SetRecentBlockHash(latest.Blockhash);
        if (options.ComputeUnitLimit > 0)
            builder.AddInstruction(ComputeBudgetProgram.SetComputeUnitLimit((uint)options.ComputeUnitLimit));
        if (await new AnchorFee(cluster, options).PriceAsync(key.PublicKey, ct) is > 0 and var price)
            builder.AddInstruction(ComputeBudgetProgram.SetComputeUnitPrice(price));
        var transaction = builder.AddInstruction(MemoProgram.NewMemo(memo, key.PublicKey)).Build(key);
        return new AnchorSigned(
            Attempt: 0, transaction.Signature, Convert.ToBase64String(transaction.Serialize()), latest.Blockhash,
            checked((long)latest.LastValidBlockHeight), now);
    }

    /// <summary>
    /// Sends stored bytes, which may be sent any number of times; false when their blockhash is too old for it.
    /// </summary>
    /// <exception cref="TransactionRefusedException">Refused for another reason.</exception>
    public async Task<bool> SendAsync(string rawTransaction, CancellationToken ct)
    {
        try
        {
            await cluster.SendAsync(Convert.FromBase64String(rawTransaction), ct);
            return true;
        }
        catch (TransactionRefusedException refused) when (refused.IsAlreadyProcessed || refused.IsBlockhashNotFound)
        {
            // On the chain already is as good as sent.
            return refused.IsAlreadyProcessed;
        }
    }

    /// <summary>
    /// Where a transaction stands: the least that a quorum of servers agrees on; processed at most where fewer know it; null when
    /// a quorum does not know it.
    /// </summary>
    public async Task<AnchorSighting?> SightAsync(string signature, CancellationToken ct)
    {
        var answers = await cluster.AllAsync(server =>
            server.GetSignatureStatusesAsync([signature], searchTransactionHistory: true, ct));
        var statuses = answers.Select(answer => answer.Value[0]).ToList();
        if (statuses.Count(status => status is null) >= cluster.Quorum)
            return null;
        var known = statuses.OfType<SignatureStatus>().OrderByDescending(status => status.Commitment).ToList();
        if (known.Count == 0)
            throw cluster.TooFew(answers.Count);
        // One server alone is believed that a transaction exists, but neither that it is final nor that it failed.
        var agreed = known.GroupBy(status => status.Error is null).FirstOrDefault(group => group.Count() >= cluster.Quorum)?.ToList();
        return agreed is null
            ? new AnchorSighting(AnchorStage.Processed, checked((long)known[0].Slot), null)
            : Sighting(agreed[cluster.Quorum - 1]);
    }

    /// <summary>
    /// The finalized height, if the transaction can never land any more: the height that a quorum has finalized is past
    /// <paramref name="lastValidBlockHeight"/>, and a quorum that has seen that much does not know the signature, nor takes its
    /// blockhash any longer. Null otherwise.
    /// </summary>
    public async Task<long?> HeightWithoutAsync(
        string signature, string blockhash, long lastValidBlockHeight, CancellationToken ct)
    {
        var height = checked((long)await cluster.QuorumReachesAsync(server => server.GetBlockHeightAsync(Commitment.Finalized, ct)));
        if (height <= lastValidBlockHeight)
            return null;
        // Read after the height: whoever has come to this slot has seen every block that could hold the transaction.
        var slot = await cluster.QuorumReachesAsync(server => server.GetSlotAsync(Commitment.Finalized, ct));
        var statuses = await cluster.AllAsync(server =>
            server.GetSignatureStatusesAsync([signature], searchTransactionHistory: true, ct));
        if (statuses.Count(answer => answer.Slot >= slot && answer.Value[0] is null) < cluster.Quorum)
            return null;
        // The last valid height is what one server said when it gave the hash.
        var valid = await cluster.AllAsync(server => server.IsBlockhashValidAsync(blockhash, Commitment.Confirmed, ct));
        return valid.Count(isValid => !isValid) >= cluster.Quorum ? height : null;
    }

    /// <summary>Reads a finalized transaction back, agreed on by a quorum; null when it is not there yet.</summary>
    public async Task<AnchorRecord?> ReadAsync(string signature, CancellationToken ct)
    {
        var raw = await cluster.QuorumAsync(async server =>
            await server.GetTransactionAsync(signature, Commitment.Finalized, ct) is { Error: null } found
                ? (found.Slot, Raw: Convert.ToBase64String(found.Raw))
                : (Slot: 0UL, Raw: ""));
        if (raw.Raw.Length == 0)
            return null;
        var block = await cluster.QuorumAsync(async server =>
            await server.GetBlockAsync(raw.Slot, Commitment.Finalized, ct) is { } found
                ? (found.Blockhash, found.BlockTime)
                : (Blockhash: "", BlockTime: null));
        if (block.Blockhash.Length == 0)
            return null;
        var memos = Transaction.Deserialize(Convert.FromBase64String(raw.Raw)).DataFor(MemoProgram.ProgramId);
        return new AnchorRecord(
            checked((long)raw.Slot), block.Blockhash, block.BlockTime, raw.Raw, [.. memos.Select(Encoding.UTF8.GetString)]);
    }

    /// <summary>
    /// Lamports that the anchor key has to pay with, as a quorum says. On a local chain some are fetched when they get few;
    /// elsewhere the operator sends them.
    /// </summary>
    public async Task<ulong> BalanceAsync(CancellationToken ct)
    {
        var balance = await cluster.QuorumReachesAsync(async server =>
            (await server.GetBalanceAsync(key.PublicKey, Commitment.Confirmed, ct)).Value);
        if (!cluster.IsLocal || balance >= Math.Max(LamportsLow, (ulong)options.LowBalanceLamports))
            return balance;
        await cluster.AnyAsync(server => server.RequestAirdropAsync(key.PublicKey, LamportsOfAirdrop, ct));
        return balance + LamportsOfAirdrop;
    }

    /// <summary>The newest blockhash that more than half of the servers take.</summary>
    private async Task<LatestBlockhash> BlockhashAsync(CancellationToken ct)
    {
        var offers = await cluster.AllAsync(server => server.GetLatestBlockhashAsync(Commitment.Confirmed, ct));
        var height = await cluster.QuorumReachesAsync(server => server.GetBlockHeightAsync(Commitment.Confirmed, ct));
        foreach (var offer in offers.Select(offer => offer.Value).OrderByDescending(offer => offer.LastValidBlockHeight))
        {
            var valid = cluster.Servers.Count == 1
                ? [true]
                : await cluster.AllAsync(server => server.IsBlockhashValidAsync(offer.Blockhash, Commitment.Confirmed, ct));
            if (valid.Count(isValid => isValid) >= cluster.Quorum)
                return offer with { LastValidBlockHeight = Math.Min(offer.LastValidBlockHeight, height + BlockhashBlocksMax) };
        }

        throw new RpcUnavailableException($"No blockhash is taken by {cluster.Quorum} of {cluster.Servers.Count} Solana servers.");
    }

    private static AnchorSighting Sighting(SignatureStatus status) => new(
        status.Commitment switch
        {
            Commitment.Finalized => AnchorStage.Finalized,
            Commitment.Confirmed => AnchorStage.Confirmed,
            _ => AnchorStage.Processed,
        },
        checked((long)status.Slot), status.Error);
}
