using JasperFx.Events;
using JasperFx.Events.Projections;
using Lumora.Domain.Anchoring;
using Lumora.Projections.EventStore;
using Marten;
using Marten.Events.Aggregation;

namespace Lumora.Projections.Anchoring;

/// <summary>The views of anchors and of regions' recorded checkpoints.</summary>
public static class AnchoringStore
{
    /// <summary>Adds the slice to the store.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Projections.Add(new LiveState<AnchorState>(AnchorState.Evolve), ProjectionLifecycle.Live);
        options.Projections.Add(new AnchorViewProjection(), ProjectionLifecycle.Inline);
        options.Projections.Add(new RegionCheckpointProjection(), ProjectionLifecycle.Inline);
        options.Schema.For<AnchorView>().Index(anchor => anchor.Size);
    }
}

/// <summary>An anchor as everybody may see it.</summary>
public sealed record AnchorView
{
    /// <summary>The stream: <c>anchor/{shard}/{size}</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The log's shard.</summary>
    public required string Shard { get; init; }

    /// <summary>Leaves that the anchored checkpoint covers.</summary>
    public required long Size { get; init; }

    /// <summary>base64 of the checkpoint's root.</summary>
    public required string Root { get; init; }

    /// <summary>The log-signed checkpoint as it stands in the memo.</summary>
    public required string Memo { get; init; }

    /// <summary>The cluster.</summary>
    public required string GenesisHash { get; init; }

    /// <summary>Address whose key signs.</summary>
    public required string Payer { get; init; }

    /// <summary>How far it is.</summary>
    public AnchorStage Stage { get; init; }

    /// <summary>Transactions signed so far.</summary>
    public int Attempts { get; init; }

    /// <summary>The newest transaction.</summary>
    public string? Signature { get; init; }

    /// <summary>Slot of its block.</summary>
    public long? Slot { get; init; }

    /// <summary>Hash of its block, once finalized.</summary>
    public string? Blockhash { get; init; }

    /// <summary>Time of its block, once finalized and where known.</summary>
    public DateTimeOffset? BlockTime { get; init; }

    /// <summary>Wire bytes of the finalized transaction, base64.</summary>
    public string? RawTransaction { get; init; }

    /// <summary>When it was prepared.</summary>
    public DateTimeOffset PreparedAt { get; init; }

    /// <summary>When finality was seen.</summary>
    public DateTimeOffset? FinalizedAt { get; init; }
}

/// <summary>Folds <c>anchor/{shard}/{size}</c>.</summary>
public sealed class AnchorViewProjection : SingleStreamProjection<AnchorView, string>
{
    /// <inheritdoc/>
    public override AnchorView? Evolve(AnchorView? snapshot, string id, IEvent e) => (e.Data, snapshot) switch
    {
        (AnchorPrepared x, _) => new AnchorView
        {
            Id = id,
            Shard = x.Shard,
            Size = x.Size,
            Root = x.Root,
            Memo = x.Memo,
            GenesisHash = x.GenesisHash,
            Payer = x.Payer,
            PreparedAt = x.PreparedAt,
        },
        (AnchorSigned x, { } s) => s with
        {
            Stage = AnchorStage.Signed,
            Attempts = x.Attempt,
            Signature = x.Signature,
            Slot = null,
        },
        (AnchorSubmitted, { } s) => s with { Stage = AnchorStage.Submitted },
        (AnchorProcessed x, { } s) => s with { Stage = AnchorStage.Processed, Slot = x.Slot },
        (AnchorConfirmed x, { } s) => s with { Stage = AnchorStage.Confirmed, Slot = x.Slot },
        (AnchorRolledBack, { } s) => s with { Stage = AnchorStage.Submitted, Slot = null },
        (AnchorExpired or AnchorFailed, { } s) => s with { Stage = AnchorStage.Prepared, Slot = null },
        (AnchorFinalized x, { } s) => s with
        {
            Stage = AnchorStage.Finalized,
            Slot = x.Slot,
            Blockhash = x.Blockhash,
            BlockTime = x.BlockTime,
            RawTransaction = x.RawTransaction,
            FinalizedAt = x.FinalizedAt,
        },
        _ => snapshot,
    };
}

/// <summary>Keeps the newest checkpoint of <c>checkpoint/{shard}</c>, whose stream has no end.</summary>
public sealed class RegionCheckpointProjection : SingleStreamProjection<RegionCheckpoint, string>
{
    /// <inheritdoc/>
    public override RegionCheckpoint? Evolve(RegionCheckpoint? snapshot, string id, IEvent e) =>
        RegionCheckpoint.Evolve(snapshot, e.Data);
}
