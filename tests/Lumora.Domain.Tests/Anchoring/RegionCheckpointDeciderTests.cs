using Lumora.Domain.Anchoring;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tests.Anchoring;

public sealed class RegionCheckpointDeciderTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
    private static readonly CheckpointRecorded First = Checkpoint(7, "root");

    [Fact]
    public void The_first_and_each_larger_checkpoint_is_recorded()
    {
        var state = Fold(null, RegionCheckpointDecider.Record(null, "main", First));
        Assert.Equal(("checkpoint/eu", 7L), (state!.Id, state.Size));
        state = Fold(state, RegionCheckpointDecider.Record(state, "main", Checkpoint(8, "other")));
        Assert.Equal((8L, "other"), (state!.Size, state.Root));
    }

    [Fact]
    public void The_recorded_checkpoint_again_changes_nothing()
    {
        var state = Fold(null, Decision.Accept(First));
        Assert.Empty(Assert.IsType<Decision.Accepted>(RegionCheckpointDecider.Record(state, "main", First)).Events);
    }

    [Fact]
    public void A_smaller_one_and_a_fork_are_refused()
    {
        var state = Fold(null, Decision.Accept(First));
        Assert.Equal("checkpoint_not_newer", Refused(state, Checkpoint(6, "root")));
        Assert.Equal("checkpoint_forked", Refused(state, Checkpoint(7, "other")));
    }

    [Fact]
    public void A_shard_never_logs_its_own_checkpoints_nor_those_of_nothing() => Assert.Equal(
        ["checkpoint_of_own_log", "checkpoint_empty", "checkpoint_of_other_shard", "checkpoint_too_large"],
        [
            Refused(null, First with { Shard = "main" }),
            Refused(null, Checkpoint(0, "root")),
            Refused(Fold(null, Decision.Accept(First)), First with { Shard = "us", Size = 9 }),
            Refused(null, First with { Note = new string('x', RegionCheckpointDecider.NoteBytesMax + 1) }),
        ]);

    private static string Refused(RegionCheckpoint? state, CheckpointRecorded checkpoint) =>
        Assert.IsType<Decision.Rejected>(RegionCheckpointDecider.Record(state, "main", checkpoint)).Reason.Code;

    private static CheckpointRecorded Checkpoint(long size, string root) => new("eu", size, root, "note", Now);

    private static RegionCheckpoint? Fold(RegionCheckpoint? state, Decision decision) =>
        decision is Decision.Accepted accepted ? accepted.Events.Aggregate(state, RegionCheckpoint.Evolve) : state;
}
