using Lumora.Domain.Kernel;

namespace Lumora.Domain.Anchoring;

/// <summary>The rules of recorded checkpoints (log.md, Shards).</summary>
public static class RegionCheckpointDecider
{
    /// <summary>A log-signed checkpoint is about 193 bytes; with the signatures of a key that is being replaced twice that.</summary>
    public const int NoteBytesMax = 2_048;

    /// <summary>
    /// Records a checkpoint of a region in the log of <paramref name="global"/>; the one that is recorded already changes nothing.
    /// </summary>
    public static Decision Record(RegionCheckpoint? newest, string global, CheckpointRecorded checkpoint)
    {
        if (checkpoint.Shard == global)
            return Decision.Reject("checkpoint_of_own_log", "A shard never logs its own checkpoints.", "shard");
        if (newest is not null && newest.Shard != checkpoint.Shard)
            return Decision.Reject("checkpoint_of_other_shard", $"The stream is of the shard {newest.Shard}.", "shard");
        if (checkpoint.Size < 1)
            return Decision.Reject("checkpoint_empty", "A checkpoint of no leaves shows nothing.", "size");
        if (System.Text.Encoding.UTF8.GetByteCount(checkpoint.Note) > NoteBytesMax)
            return Decision.Reject("checkpoint_too_large", $"A recorded checkpoint has at most {NoteBytesMax} bytes.", "note");
        if (newest is null || checkpoint.Size > newest.Size)
            return Decision.Accept(checkpoint);
        if (checkpoint.Size < newest.Size)
            return Decision.Reject(
                "checkpoint_not_newer", $"A checkpoint of {newest.Size} leaves is recorded already; sizes grow.", "size");
        return checkpoint.Root == newest.Root
            ? Decision.Accept()
            : Decision.Reject(
                "checkpoint_forked", $"Another checkpoint of {newest.Size} leaves with the root {newest.Root} is recorded.", "root");
    }
}
