using Lumora.Domain.Kernel;

namespace Lumora.Domain.Anchoring;

/// <summary>
/// A published checkpoint is to be written on Solana. Stream <c>anchor/{shard}/{size}</c>, which makes a second anchor
/// of the same checkpoint impossible.
/// </summary>
/// <param name="Shard">The log's shard.</param>
/// <param name="Size">Leaves that the checkpoint covers.</param>
/// <param name="Root">base64 of its root.</param>
/// <param name="Memo">The whole log-signed checkpoint, as it will stand in the memo.</param>
/// <param name="GenesisHash">The cluster; an anchor never moves to another.</param>
/// <param name="Payer">Address of the anchor key, which signs the transaction.</param>
/// <param name="PreparedAt">When.</param>
[EventContract("anchor_prepared")]
public sealed record AnchorPrepared(
    string Shard, long Size, string Root, string Memo, string GenesisHash, string Payer, DateTimeOffset PreparedAt);

/// <summary>A transaction with the memo was signed. Stored before it is sent, so that a crash never leaves an unknown one.</summary>
/// <param name="Attempt">1 for the first transaction of this anchor.</param>
/// <param name="Signature">base58, the transaction's id.</param>
/// <param name="RawTransaction">base64 of the wire bytes.</param>
/// <param name="Blockhash">base58; limits the transaction's life.</param>
/// <param name="LastValidBlockHeight">The last block height that can take it.</param>
/// <param name="SignedAt">When.</param>
[EventContract("anchor_signed")]
public sealed record AnchorSigned(
    int Attempt, string Signature, string RawTransaction, string Blockhash, long LastValidBlockHeight,
    DateTimeOffset SignedAt);

/// <summary>A Solana server took the transaction.</summary>
/// <param name="Signature">The transaction.</param>
/// <param name="SubmittedAt">When.</param>
[EventContract("anchor_submitted")]
public sealed record AnchorSubmitted(string Signature, DateTimeOffset SubmittedAt);

/// <summary>The transaction stands in a block that may still vanish.</summary>
/// <param name="Signature">The transaction.</param>
/// <param name="Slot">Slot of the block.</param>
/// <param name="SeenAt">When it was seen.</param>
[EventContract("anchor_processed")]
public sealed record AnchorProcessed(string Signature, long Slot, DateTimeOffset SeenAt);

/// <summary>A supermajority voted for the transaction's block.</summary>
/// <param name="Signature">The transaction.</param>
/// <param name="Slot">Slot of the block.</param>
/// <param name="SeenAt">When it was seen.</param>
[EventContract("anchor_confirmed")]
public sealed record AnchorConfirmed(string Signature, long Slot, DateTimeOffset SeenAt);

/// <summary>
/// The memo is on the chain for good. It was read back from the transaction's instruction data, not from logs, and is
/// archived here: servers forget old blocks.
/// </summary>
/// <param name="Signature">The transaction.</param>
/// <param name="Slot">Slot of the block.</param>
/// <param name="Blockhash">base58 of the block's own hash.</param>
/// <param name="BlockTime">The block's time, where the servers know it.</param>
/// <param name="RawTransaction">base64 of the wire bytes as the chain holds them.</param>
/// <param name="FinalizedAt">When it was seen.</param>
[EventContract("anchor_finalized")]
public sealed record AnchorFinalized(
    string Signature, long Slot, string Blockhash, DateTimeOffset? BlockTime, string RawTransaction,
    DateTimeOffset FinalizedAt);

/// <summary>A block that held the transaction vanished; the transaction may land again or expire.</summary>
/// <param name="Signature">The transaction.</param>
/// <param name="SeenAt">When it was seen.</param>
[EventContract("anchor_rolled_back")]
public sealed record AnchorRolledBack(string Signature, DateTimeOffset SeenAt);

/// <summary>
/// The transaction can never land any more: the finalized height passed its last valid one, and afterwards no server
/// knew it. The same memo is signed again.
/// </summary>
/// <param name="Signature">The transaction.</param>
/// <param name="FinalizedBlockHeight">The height that was seen.</param>
/// <param name="ExpiredAt">When.</param>
[EventContract("anchor_expired")]
public sealed record AnchorExpired(string Signature, long FinalizedBlockHeight, DateTimeOffset ExpiredAt);

/// <summary>The transaction is final and failed, so its memo does not count. The same memo is signed again.</summary>
/// <param name="Signature">The transaction.</param>
/// <param name="Error">Solana's JSON of the failure.</param>
/// <param name="FailedAt">When it was seen.</param>
[EventContract("anchor_failed")]
public sealed record AnchorFailed(string Signature, string Error, DateTimeOffset FailedAt);
