namespace Lumora.Domain.Anchoring;

/// <summary>The newest recorded checkpoint of a region: what <c>checkpoint/{shard}</c> folds to.</summary>
/// <param name="Shard">The region shard.</param>
/// <param name="Size">Leaves covered.</param>
/// <param name="Root">base64 of the root.</param>
/// <param name="Note">The log-signed checkpoint.</param>
public sealed record RegionCheckpoint(string Shard, long Size, string Root, string Note)
{
    /// <summary>Its stream.</summary>
    public string Id { get; init; } = StreamOf(Shard);

    /// <summary>The stream of a region's checkpoints.</summary>
    public static string StreamOf(string shard) => $"checkpoint/{shard}";

    /// <summary>Folds one event.</summary>
    public static RegionCheckpoint? Evolve(RegionCheckpoint? state, object @event) => @event is CheckpointRecorded e
        ? new RegionCheckpoint(e.Shard, e.Size, e.Root, e.Note)
        : state;
}
