using Lumora.Domain.Kernel;

namespace Lumora.Domain.Anchoring;

/// <summary>
/// A region shard's log has published a checkpoint. Stream <c>checkpoint/{shard}</c> of the global shard, so that an anchor of the
/// global log covers the region's log too, up to here.
/// </summary>
/// <param name="Shard">The region shard.</param>
/// <param name="Size">Leaves of its log that the checkpoint covers.</param>
/// <param name="Root">base64 of its root.</param>
/// <param name="Note">The whole checkpoint as the region's log has signed it.</param>
/// <param name="RecordedAt">When.</param>
[EventContract("checkpoint_recorded")]
public sealed record CheckpointRecorded(string Shard, long Size, string Root, string Note, DateTimeOffset RecordedAt);
