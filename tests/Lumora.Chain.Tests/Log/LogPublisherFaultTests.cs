using Lumora.Chain.Log;

namespace Lumora.Chain.Tests.Log;

/// <summary>
/// Every operation of the publisher on files, lock, leaves and chain, broken once before it is done and once after ("failed but
/// persisted"), as one breaks single system calls. The log then goes on and is whole, or refuses; it never forks.
/// </summary>
public sealed class LogPublisherFaultTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    /// <summary>The host's publisher is asked again by the same process, a second later.</summary>
    [Theory]
    [InlineData(false, 3, 5)]
    [InlineData(true, 3, 5)]
    [InlineData(false, 250, 256)]
    [InlineData(true, 250, 256)]
    [InlineData(false, 255, 513)]
    [InlineData(true, 255, 513)]
    public async Task A_process_that_goes_on_after_a_fault_at_any_read_or_write_publishes_the_same_log(bool persisted, int before, int after)
    {
        for (var at = 0; ; at++)
        {
            using var workshop = new LogWorkshop();
            using var folderLock = new FolderCheckpointLock(workshop.LockFolder);
            var faults = new LogWorkshop.Faults(at, persisted) { Reads = true };
            var publisher = workshop.Publisher(folderLock, faults);
            foreach (var size in (int[])[before, after])
            {
                workshop.Leaves.Grow(size);
                Assert.Equal(size, (await UntilPublishedAsync(publisher))!.Checkpoint.Size);
                Assert.Empty((await workshop.FsckAsync()).Problems);
            }

            workshop.AssertNoFork();
            if (!faults.Happened)
            {
                TestContext.Current.TestOutputHelper!.WriteLine($"{at} faults");
                break;
            }
        }
    }

    /// <summary>The process dies at the fault, and the next one finds what the reads and writes left.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_process_that_dies_at_any_read_is_followed_by_one_that_goes_on(bool persisted)
    {
        for (var at = 0; ; at++)
        {
            using var workshop = new LogWorkshop();
            workshop.Leaves.Grow(255);
            await workshop.PublishAsync();
            workshop.Leaves.Grow(258);
            var faults = new LogWorkshop.Faults(at, persisted) { Reads = true };
            await DyingAsync(workshop, faults);
            Assert.Equal(258, (await workshop.PublishAsync())!.Checkpoint.Size);
            Assert.Empty((await workshop.FsckAsync()).Problems);
            workshop.AssertNoFork();
            if (!faults.Happened)
            {
                TestContext.Current.TestOutputHelper!.WriteLine($"{at} faults");
                break;
            }
        }
    }

    /// <summary>The process that recovers from the first fault dies of a second, and the third finds more leaves.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Two_deaths_in_a_row_at_any_two_writes_fork_nothing(bool persisted)
    {
        var pairs = 0;
        for (var first = 0; ; first++)
        {
            var firstHappened = false;
            for (var second = first + 1; ; second++)
            {
                using var workshop = new LogWorkshop();
                workshop.Leaves.Grow(3);
                await workshop.PublishAsync();
                workshop.Leaves.Grow(5);
                var faults = new LogWorkshop.Faults(first, persisted) { Second = second };
                await DyingAsync(workshop, faults);
                workshop.Leaves.Grow(6);
                await DyingAsync(workshop, faults);
                workshop.Leaves.Grow(7);
                Assert.Equal(7, (await workshop.PublishAsync())!.Checkpoint.Size);
                Assert.Empty((await workshop.FsckAsync()).Problems);
                workshop.AssertNoFork();
                firstHappened |= faults.Happened;
                if (faults.Broken < 2)
                    break;
                pairs++;
            }

            if (!firstHappened)
                break;
        }

        Assert.True(pairs > 10);
        TestContext.Current.TestOutputHelper!.WriteLine($"{pairs} pairs");
    }

    /// <summary>A fault that stays while the database is set back: what was signed is in the lock, so nothing else is signed.</summary>
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task A_lock_that_failed_but_persisted_holds_against_a_database_that_was_set_back(bool persisted, bool goesOn)
    {
        using var workshop = new LogWorkshop();
        workshop.Leaves.Grow(3);
        await workshop.PublishAsync();
        workshop.Leaves.Grow(5);
        // The lock as it was, bundle, tile, and then the lock.
        const int swap = 3;
        await DyingAsync(workshop, new LogWorkshop.Faults(swap, persisted));
        workshop.Leaves.Rows.RemoveAt(4);
        if (goesOn)
        {
            Assert.Equal(4, (await workshop.PublishAsync())!.Checkpoint.Size);
            Assert.Empty((await workshop.FsckAsync()).Problems);
        }
        else
        {
            var refused = await Assert.ThrowsAsync<LogRefusedException>(() => workshop.PublishAsync());
            Assert.Contains("set back", refused.Message, StringComparison.Ordinal);
        }

        workshop.AssertNoFork();
    }

    private static async Task<PublishedCheckpoint?> UntilPublishedAsync(LogPublisher publisher)
    {
        try
        {
            return await publisher.PublishAsync(None);
        }
        catch (IOException exception) when (exception.Message == "injected")
        {
            // One fault for each run: the second call gets through.
            return await publisher.PublishAsync(None);
        }
    }

    private static async Task DyingAsync(LogWorkshop workshop, LogWorkshop.Faults faults)
    {
        try
        {
            await workshop.PublishAsync(faults);
        }
        catch (IOException exception) when (exception.Message == "injected")
        {
            // Dead.
        }
    }
}
