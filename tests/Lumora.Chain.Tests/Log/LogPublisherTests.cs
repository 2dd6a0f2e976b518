using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Tests.Log;

public sealed class LogPublisherTests
{
    private static readonly int[] Sizes = [3, 250, 256, 700];

    /// <summary>"Failed but persisted" is the fault that forks logs: the writer thinks it has not happened.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_is_recovered_without_a_fork(bool persisted)
    {
        foreach (var (before, after) in Sizes.Zip(Sizes.Skip(1)).Append((0, 3)))
        {
            for (var at = 0; ; at++)
            {
                using var workshop = new LogWorkshop();
                workshop.Leaves.Grow(before);
                await workshop.PublishAsync();
                workshop.Leaves.Grow(after);
                var faults = new LogWorkshop.Faults(at, persisted);
                if (await Crashes(workshop, faults))
                {
                    // The next process may find more leaves than the one that died.
                    workshop.Leaves.Grow(after + 1);
                    var recovered = await workshop.PublishAsync();
                    Assert.Equal(after + 1, recovered!.Checkpoint.Size);
                }

                var report = await workshop.FsckAsync();
                Assert.Empty(report.Problems);
                workshop.AssertNoFork();
                if (!faults.Happened)
                    break;
            }
        }
    }

    [Fact]
    public async Task A_rebuilt_log_has_the_same_files()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(700);
        var first = await workshop.PublishAsync();
        Directory.Delete(workshop.Blobs.FileOf("tile"), recursive: true);
        Assert.False((await workshop.FsckAsync()).IsWhole);

        var again = await workshop.PublishAsync();
        Assert.Equal(first!.Note, again!.Note);
        Assert.Empty((await workshop.FsckAsync()).Problems);
    }

    /// <summary>Neither the right edge nor the root needs them, but whoever audits or asks for a proof does.</summary>
    [Theory]
    [InlineData("tile/0/000")]
    [InlineData("tile/entries/001")]
    public async Task A_full_tile_or_bundle_that_was_lost_is_there_again_before_anything_is_signed(string path)
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(700);
        await workshop.PublishAsync();
        File.Delete(workshop.Blobs.FileOf(path));
        Assert.False((await workshop.FsckAsync()).IsWhole);

        workshop.Leaves.Grow(701);
        await workshop.PublishAsync();
        Assert.Empty((await workshop.FsckAsync()).Problems);
    }

    [Fact]
    public async Task Nothing_new_makes_no_new_checkpoint()
    {
        using var workshop = new LogWorkshop();
        Assert.Null(await workshop.PublishAsync());
        Assert.Empty(workshop.Seen);
        workshop.Leaves.Grow(3);
        var first = await workshop.PublishAsync();
        var second = await workshop.PublishAsync();
        Assert.Equal(first!.Note, second!.Note);
        Assert.Single(workshop.Seen);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Partial_tiles_are_collected_once_the_full_tile_exists(bool inOneLife)
    {
        using var workshop = new LogWorkshop();
        using var folderLock = inOneLife ? new FolderCheckpointLock(workshop.LockFolder) : null;
        var publisher = folderLock is null ? null : workshop.Publisher(folderLock, new LogWorkshop.Faults(int.MaxValue, persisted: false));
        foreach (var size in (int[])[10, 20, 250, 300, 520])
        {
            workshop.Leaves.Grow(size);
            await (publisher?.PublishAsync(TestContext.Current.CancellationToken) ?? workshop.PublishAsync());
            Assert.Equal(size < 256, Directory.Exists(workshop.Blobs.FileOf("tile/0/000.p")));
            Assert.Equal(size < 256, Directory.Exists(workshop.Blobs.FileOf("tile/entries/000.p")));
            Assert.Equal(size is 10 or 20 or 250, File.Exists(workshop.Blobs.FileOf("tile/0/000.p/10")));
            Assert.Equal(size == 300, File.Exists(workshop.Blobs.FileOf("tile/0/001.p/44")));
        }

        Assert.True(File.Exists(workshop.Blobs.FileOf("tile/entries/002.p/8")));
        Assert.Empty((await workshop.FsckAsync()).Problems);
    }

    [Fact]
    public async Task Partial_tiles_that_an_ended_process_left_are_collected_by_the_next_one()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(300);
        await workshop.PublishAsync();
        var left = workshop.Blobs.FileOf("tile/entries/000.p/7");
        Directory.CreateDirectory(Path.GetDirectoryName(left)!);
        await File.WriteAllBytesAsync(left, [1], TestContext.Current.CancellationToken);
        await workshop.PublishAsync();
        Assert.False(File.Exists(left));
        Assert.True(File.Exists(workshop.Blobs.FileOf("tile/entries/001.p/44")));
    }

    [Fact]
    public async Task A_database_that_was_set_back_is_not_signed()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(10);
        await workshop.PublishAsync();
        workshop.Leaves.Rows.RemoveAt(9);
        await Refused(workshop, "set back");
    }

    [Fact]
    public async Task A_lock_that_was_set_back_is_not_signed_over()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(10);
        await workshop.PublishAsync();
        var old = await File.ReadAllBytesAsync(Path.Combine(workshop.LockFolder, "ledger.checkpoint"), TestContext.Current.CancellationToken);
        workshop.Leaves.Grow(20);
        await workshop.PublishAsync();
        await File.WriteAllBytesAsync(Path.Combine(workshop.LockFolder, "ledger.checkpoint"), old, TestContext.Current.CancellationToken);
        await Refused(workshop, "lock was set back");
    }

    [Fact]
    public async Task A_lost_lock_is_not_made_again()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(10);
        await workshop.PublishAsync();
        Directory.Delete(workshop.LockFolder, recursive: true);
        await Refused(workshop, "lock is empty");
    }

    [Fact]
    public async Task A_history_that_was_changed_is_not_signed()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(10);
        await workshop.PublishAsync();
        var other = "another history"u8.ToArray();
        workshop.Leaves.Rows[4] = new LeafRow(4, MerkleHash.OfLeaf(other), other, null);
        Directory.Delete(workshop.Blobs.FileOf("tile"), recursive: true);
        await Refused(workshop, "history was changed");
    }

    [Fact]
    public async Task A_leaf_whose_stored_bytes_were_changed_is_named()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(10);
        workshop.Leaves.Rows[7] = workshop.Leaves.Rows[7] with { Bytes = [.. workshop.Leaves.Rows[7].Bytes, 1] };
        await Refused(workshop, "leaf 7");
    }

    /// <summary>Database, files and lock all come from the same old backup: only the chain knows better.</summary>
    [Fact]
    public async Task An_old_backup_of_everything_is_not_signed_over_when_the_chain_knows_more()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(10);
        await workshop.PublishAsync();
        workshop.Leaves.Grow(12);
        workshop.Chain = Anchored(20, Root(20));
        await Refused(workshop, "an old backup was restored");
        Assert.Single(workshop.Seen);

        workshop.Chain = Anchored(10, Root(10));
        Assert.Equal(12, (await workshop.PublishAsync())!.Checkpoint.Size);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(7)]
    public async Task Another_history_than_the_anchored_one_is_not_signed(int anchored)
    {
        foreach (var more in (int[])[0, 5])
        {
            using var workshop = new LogWorkshop();
            workshop.Leaves.Grow(10);
            await workshop.PublishAsync();
            workshop.Leaves.Grow(10 + more);
            workshop.Chain = Anchored(anchored, MerkleHash.OfLeaf("other"u8));
            await Refused(workshop, "another history than its anchored checkpoint");
            Assert.Single(workshop.Seen);
        }
    }

    [Fact]
    public async Task A_chain_that_is_away_delays_nothing_and_is_heard_when_it_comes()
    {
        using var workshop = new LogWorkshop { Chain = null };
        workshop.Leaves.Grow(10);
        Assert.Equal(10, (await workshop.PublishAsync())!.Checkpoint.Size);
        workshop.Chain = Anchored(11, Root(11));
        await Refused(workshop, "an old backup was restored");
    }

    [Fact]
    public async Task An_anchor_larger_than_the_lock_is_agreed_with_when_the_leaves_have_its_root()
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(10);
        await workshop.PublishAsync();
        workshop.Leaves.Grow(30);
        workshop.Chain = Anchored(20, Root(20));
        Assert.Equal(30, (await workshop.PublishAsync())!.Checkpoint.Size);
    }

    [Fact]
    public async Task A_second_process_does_not_get_the_lock()
    {
        using var workshop = new LogWorkshop();
        using var first = new FolderCheckpointLock(workshop.LockFolder);
        Assert.Throws<LogRefusedException>(() => new FolderCheckpointLock(workshop.LockFolder));
        await Assert.ThrowsAsync<LogRefusedException>(
            () => first.SwapAsync("ledger", [1], [2], TestContext.Current.CancellationToken));
    }

    private static AnchoredAnswer Anchored(int size, MerkleHash root) => new(new Checkpoint("origin", size, root), "transaction x");

    private static MerkleHash Root(int size)
    {
        var leaves = new LogWorkshop.MemoryLeaves();
        leaves.Grow(size);
        var range = new CompactRange();
        foreach (var leaf in leaves.Rows)
            range.Append(leaf.Hash);
        return range.Root();
    }

    private static async Task<bool> Crashes(LogWorkshop workshop, LogWorkshop.Faults faults)
    {
        try
        {
            await workshop.PublishAsync(faults);
            return false;
        }
        catch (IOException exception) when (exception.Message == "injected")
        {
            return true;
        }
    }

    private static async Task Refused(LogWorkshop workshop, string reason)
    {
        var exception = await Assert.ThrowsAsync<LogRefusedException>(() => workshop.PublishAsync());
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }
}
