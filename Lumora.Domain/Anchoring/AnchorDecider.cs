using Lumora.Domain.Kernel;

namespace Lumora.Domain.Anchoring;

/// <summary>A transaction as the chain shows it.</summary>
/// <param name="Stage">Processed, confirmed or finalized.</param>
/// <param name="Slot">Slot of its block.</param>
/// <param name="Error">Solana's JSON of its failure; null on success.</param>
public sealed record AnchorSighting(AnchorStage Stage, long Slot, string? Error);

/// <summary>A finalized transaction, read back whole.</summary>
/// <param name="Slot">Slot of its block.</param>
/// <param name="Blockhash">The block's hash.</param>
/// <param name="BlockTime">The block's time, where known.</param>
/// <param name="RawTransaction">Wire bytes, base64.</param>
/// <param name="Memos">The memos in its instruction data.</param>
public sealed record AnchorRecord(
    long Slot, string Blockhash, DateTimeOffset? BlockTime, string RawTransaction, IReadOnlyList<string> Memos);

/// <summary>
/// The rules of anchoring (log.md): one transaction at a time, never a second one that could land too. What was seen of a transaction
/// counts for that one alone: another host may have signed the next one since.
/// </summary>
public static class AnchorDecider
{
    /// <summary>A log-signed checkpoint is about 193 bytes; client libraries cap memos at this many.</summary>
    public const int MemoBytesMax = 566;

    /// <summary>Begins an anchor. <paramref name="anchored"/> is the newest size that was prepared before, or 0.</summary>
    public static Decision Prepare(AnchorState? state, long anchored, AnchorPrepared anchor)
    {
        if (state is not null)
            return Decision.Accept();
        if (anchor.Size <= anchored)
            return Decision.Reject(
                "anchor_not_newer", $"A checkpoint of {anchored} leaves is anchored already; sizes grow.", "size");
        return System.Text.Encoding.UTF8.GetByteCount(anchor.Memo) <= MemoBytesMax
            ? Decision.Accept(anchor)
            : Decision.Reject("anchor_too_large", $"A memo has at most {MemoBytesMax} bytes.", "memo");
    }

    /// <summary>Notes a newly signed transaction; only when no earlier one can still land.</summary>
    public static Decision Sign(AnchorState state, AnchorSigned transaction) => state.Stage == AnchorStage.Prepared
        ? Decision.Accept(transaction with { Attempt = state.Attempts + 1 })
        : Decision.Reject("anchor_in_flight", "A transaction of this anchor can still land.");

    /// <summary>Notes that a server took the transaction <paramref name="signature"/>.</summary>
    public static Decision Submit(AnchorState state, string signature, DateTimeOffset now) =>
        IsLive(state, signature) && state.Stage == AnchorStage.Signed
            ? Decision.Accept(new AnchorSubmitted(signature, now))
            : Decision.Accept();

    /// <summary>Notes what the chain shows of the transaction <paramref name="signature"/>; stages that passed unseen are not made up.</summary>
    public static Decision Observe(AnchorState state, string signature, AnchorSighting? sighting, DateTimeOffset now)
    {
        if (!IsLive(state, signature))
            return Decision.Accept();
        return sighting switch
        {
            null when state.Stage >= AnchorStage.Processed => Decision.Accept(new AnchorRolledBack(signature, now)),
            { Stage: AnchorStage.Finalized, Error: { } error } => Decision.Accept(new AnchorFailed(signature, error, now)),
            { Stage: AnchorStage.Processed, Error: null } when state.Stage < AnchorStage.Processed =>
                Decision.Accept(new AnchorProcessed(signature, sighting.Slot, now)),
            { Stage: AnchorStage.Confirmed or AnchorStage.Finalized, Error: null } when state.Stage < AnchorStage.Confirmed =>
                Decision.Accept(new AnchorConfirmed(signature, sighting.Slot, now)),
            _ => Decision.Accept(),
        };
    }

    /// <summary>Closes the anchor with what was read back of the transaction <paramref name="signature"/>; refuses when the chain holds something else.</summary>
    public static Decision Finalize(AnchorState state, string signature, AnchorRecord record, DateTimeOffset now)
    {
        if (!IsLive(state, signature))
            return Decision.Accept();
        return record.Memos.Count == 1 && record.Memos[0] == state.Memo
            ? Decision.Accept(new AnchorFinalized(
                signature, record.Slot, record.Blockhash, record.BlockTime, record.RawTransaction, now))
            : Decision.Reject("anchor_memo_differs", "The transaction on the chain holds another memo.", "memo");
    }

    /// <summary>
    /// Gives the transaction <paramref name="signature"/> up: <paramref name="finalizedHeight"/> was read first, and only then did no
    /// server know the signature. In the other order it could have landed in between.
    /// </summary>
    public static Decision Expire(AnchorState state, string signature, long finalizedHeight, DateTimeOffset now) =>
        IsLive(state, signature) && state.Stage is (AnchorStage.Signed or AnchorStage.Submitted)
        && finalizedHeight > state.LastValidBlockHeight
            ? Decision.Accept(new AnchorExpired(signature, finalizedHeight, now))
            : Decision.Accept();

    private static bool IsLive(AnchorState state, string signature) =>
        state.Stage is not (AnchorStage.Prepared or AnchorStage.Finalized) && state.Signature == signature;
}
