namespace Lumora.Domain.Anchoring;

/// <summary>How far an anchor is; the order is the way forward.</summary>
public enum AnchorStage
{
    /// <summary>Needs a signed transaction: new, expired or failed.</summary>
    Prepared,

    /// <summary>Signed and stored, not known to be sent.</summary>
#pragma warning disable CA1720 // The word is the chain's own, not a number's kind.
    Signed,
#pragma warning restore CA1720

    /// <summary>Taken by a server.</summary>
    Submitted,

    /// <summary>In a block.</summary>
    Processed,

    /// <summary>In a block with a supermajority.</summary>
    Confirmed,

    /// <summary>For good.</summary>
    Finalized,
}

/// <summary>An anchor: what <c>anchor/{shard}/{size}</c> folds to.</summary>
/// <param name="Shard">The log's shard.</param>
/// <param name="Size">Leaves covered.</param>
/// <param name="Memo">The checkpoint as written.</param>
/// <param name="GenesisHash">The cluster.</param>
/// <param name="Payer">Address of the anchor key.</param>
/// <param name="Stage">How far it is.</param>
/// <param name="Attempts">Transactions signed so far.</param>
/// <param name="Signature">The newest transaction; null before the first.</param>
/// <param name="RawTransaction">Its wire bytes in base64.</param>
/// <param name="LastValidBlockHeight">Its last valid height.</param>
/// <param name="Slot">The slot of its block, from processed on.</param>
public sealed record AnchorState(
    string Shard, long Size, string Memo, string GenesisHash, string Payer, AnchorStage Stage = AnchorStage.Prepared,
    int Attempts = 0, string? Signature = null, string? RawTransaction = null, long LastValidBlockHeight = 0,
    long? Slot = null)
{
    /// <summary>Its stream.</summary>
    public string Id { get; init; } = StreamOf(Shard, Size);

    /// <summary>The stream of an anchor.</summary>
    public static string StreamOf(string shard, long size) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"anchor/{shard}/{size}");

    /// <summary>Folds one event.</summary>
    public static AnchorState? Evolve(AnchorState? state, object @event) => (@event, state) switch
    {
        (AnchorPrepared e, null) => new AnchorState(e.Shard, e.Size, e.Memo, e.GenesisHash, e.Payer),
        (AnchorSigned e, { } s) => s with
        {
            Stage = AnchorStage.Signed,
            Attempts = e.Attempt,
            Signature = e.Signature,
            RawTransaction = e.RawTransaction,
            LastValidBlockHeight = e.LastValidBlockHeight,
            Slot = null,
        },
        (AnchorSubmitted, { } s) => s with { Stage = AnchorStage.Submitted },
        (AnchorProcessed e, { } s) => s with { Stage = AnchorStage.Processed, Slot = e.Slot },
        (AnchorConfirmed e, { } s) => s with { Stage = AnchorStage.Confirmed, Slot = e.Slot },
        (AnchorFinalized e, { } s) => s with { Stage = AnchorStage.Finalized, Slot = e.Slot },
        (AnchorRolledBack, { } s) => s with { Stage = AnchorStage.Submitted, Slot = null },
        (AnchorExpired or AnchorFailed, { } s) => s with { Stage = AnchorStage.Prepared, Slot = null },
        _ => state,
    };
}
