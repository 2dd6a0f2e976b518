using System.Text;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Programs;
using Lumora.Chain.Solana.Rpc;
using Lumora.Domain.Anchoring;

namespace Lumora.Chain.Anchoring;

/// <summary>The chain's side of an anchor: transactions to sign, what became of them, what stands there for good.</summary>
internal sealed class AnchorChain(SolanaCluster cluster, Keypair key)
{
    private const ulong LamportsLow = 100_000_000;
    private const ulong LamportsOfAirdrop = 10_000_000_000;
    private const uint ComputeUnits = 200_000;

    public string GenesisHash => cluster.GenesisHash;

    /// <summary>Signs a transaction with the memo; <c>Attempt</c> is the decider's to set.</summary>
    public async Task<AnchorSigned> SignAsync(string memo, DateTimeOffset now, CancellationToken ct)
    {
        var latest = await cluster.AnyAsync(server => server.GetLatestBlockhashAsync(Commitment.Confirmed, ct));
        var transaction = new TransactionBuilder()
            .SetFeePayer(key.PublicKey)
            .SetRecentBlockHash(latest.Value.Blockhash)
            .AddInstruction(ComputeBudgetProgram.SetComputeUnitLimit(ComputeUnits))
            .AddInstruction(MemoProgram.NewMemo(memo, key.PublicKey))
            .Build(key);
        return new AnchorSigned(
            Attempt: 0, transaction.Signature, Convert.ToBase64String(transaction.Serialize()), latest.Value.Blockhash,
            checked((long)latest.Value.LastValidBlockHeight), now);
    }

    /// <summary>
    /// Sends stored bytes, which may be sent any number of times; false when their blockhash is too old for it.
    /// </summary>
    /// <exception cref="TransactionRefusedException">Refused for another reason.</exception>
    public async Task<bool> SendAsync(string rawTransaction, CancellationToken ct)
    {
        var bytes = Convert.FromBase64String(rawTransaction);
        try
        {
            await cluster.AnyAsync(server => server.SendTransactionAsync(bytes, ct: ct));
            return true;
        }
        catch (TransactionRefusedException refused) when (refused.IsAlreadyProcessed || refused.IsBlockhashNotFound)
        {
            // On the chain already is as good as sent.
            return refused.IsAlreadyProcessed;
        }
    }

    /// <summary>Where a transaction stands: the least that a quorum of servers agrees on; null when none knows it.</summary>
    public async Task<AnchorSighting?> SightAsync(string signature, CancellationToken ct)
    {
        var answers = await cluster.AllAsync(server =>
            server.GetSignatureStatusesAsync([signature], searchTransactionHistory: true, ct));
        var known = answers.Select(answer => answer.Value[0]).OfType<SignatureStatus>()
            .OrderByDescending(status => status.Commitment).ToList();
        var quorum = (cluster.Servers.Count / 2) + 1;
        return known.Count == 0 ? null : Sighting(known[Math.Min(quorum, known.Count) - 1], known.Count >= quorum);
    }

    /// <summary>
    /// The finalized height, if afterwards every server answered that it does not know the signature; null otherwise.
    /// </summary>
    public async Task<long?> HeightWithoutAsync(string signature, CancellationToken ct)
    {
        var height = await cluster.AnyAsync(server => server.GetBlockHeightAsync(Commitment.Finalized, ct));
        var answers = await cluster.AllAsync(server =>
            server.GetSignatureStatusesAsync([signature], searchTransactionHistory: true, ct));
        return answers.Count * 2 > cluster.Servers.Count && answers.All(answer => answer.Value[0] is null)
            ? checked((long)height)
            : null;
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
        var block = await cluster.AnyAsync(server => server.GetBlockAsync(raw.Slot, Commitment.Finalized, ct));
        if (block is null)
            return null;
        var memos = Transaction.Deserialize(Convert.FromBase64String(raw.Raw)).DataFor(MemoProgram.ProgramId);
        return new AnchorRecord(
            checked((long)raw.Slot), block.Blockhash, block.BlockTime, raw.Raw, [.. memos.Select(Encoding.UTF8.GetString)]);
    }

    /// <summary>Lamports to pay with: fetched on a local chain; elsewhere the operator sends them.</summary>
    public async Task<ulong> FundAsync(CancellationToken ct)
    {
        var balance = await cluster.AnyAsync(server => server.GetBalanceAsync(key.PublicKey, Commitment.Confirmed, ct));
        if (balance.Value < LamportsLow && cluster.IsLocal)
            await cluster.AnyAsync(server => server.RequestAirdropAsync(key.PublicKey, LamportsOfAirdrop, ct));
        return balance.Value;
    }

    // One server alone is believed that a transaction exists, but not that it is final.
    private static AnchorSighting Sighting(SignatureStatus status, bool agreed)
    {
        var stage = status.Commitment switch
        {
            Commitment.Finalized when agreed => AnchorStage.Finalized,
            Commitment.Processed => AnchorStage.Processed,
            _ when !agreed => AnchorStage.Processed,
            _ => AnchorStage.Confirmed,
        };
        return new AnchorSighting(stage, checked((long)status.Slot), status.Error);
    }
}
