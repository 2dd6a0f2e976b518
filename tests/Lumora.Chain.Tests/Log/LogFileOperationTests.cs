using Lumora.Chain.Log;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Tests.Log;

/// <summary>
/// The publisher as a process whose system calls on its files are broken one by one, below everything of ours: each is refused by
/// the disk, or is where the process dies by kill −9. The log then is whole, and never forks. <c>LUMORA_LONG=1</c> breaks
/// more sizes and knows more faults.
/// </summary>
public sealed class LogFileOperationTests
{
    // A full disk, and one that breaks.
    private static readonly string[] s_errors = LongForm.IsAsked ? ["EIO", "ENOSPC", "EACCES"] : ["EIO"];

    private const int TriesMax = 5;

    /// <summary>From a size to the next.</summary>
    public static TheoryData<int, int> Steps { get; } =
        LongForm.IsAsked ? new() { { 3, 5 }, { 0, 3 }, { 255, 256 }, { 250, 700 } } : new() { { 3, 5 } };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_process_whose_file_operations_fail_one_by_one_goes_on_and_publishes_the_same_log()
    {
        SkipWithoutTracer();
        int[] sizes = LongForm.IsAsked ? [3, 255, 256, 513] : [3, 256];
        await using var process = await PublishingProcess.StartAsync();
        var operations = await ListAsync(process, before: 0, sizes);
        foreach (var operation in operations)
        {
            foreach (var error in s_errors)
            {
                // Rarely the runtime makes a call of its own in between, and the fault meets that one.
                var tries = 1;
                while (!await BreaksAsync(process, operation, error, sizes))
                    Assert.True(tries++ < TriesMax, $"{operation} is not reached");
            }
        }

        AssertEachKind(operations);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_process_killed_at_any_file_operation_is_followed_by_one_that_goes_on(int before, int after)
    {
        SkipWithoutTracer();
        IReadOnlyList<SystemCall> operations;
        await using (var process = await PublishingProcess.StartAsync())
            operations = await ListAsync(process, before, [after]);
        var next = PublishingProcess.StartAsync();
        foreach (var operation in operations)
        {
            await using var process = await next;
            next = PublishingProcess.StartAsync();
            using var workshop = await PublishedAsync(before);
            await using var calls = await SystemCalls.FollowAsync(process.Id, operation.Kills);
            Assert.Null(await process.PublishAsync(workshop.Folder, [after]));
            var last = (await calls.EndedAsync(workshop.Folder))[^1];
            Assert.Equal((operation.Name, operation.Number), (last.Name, last.Number));

            // What it left behind is the log before or the new one, and the next process may find more leaves.
            var found = await SizeAsync(workshop);
            Assert.True(found == before || found == after, $"{found} after {last}");
            workshop.Leaves.Grow(after + 1);
            Assert.Equal(after + 1, (await workshop.PublishAsync())!.Checkpoint.Size);
            await AssertWholeAsync(workshop, $"{last}");
        }

        await (await next).DisposeAsync();
        Assert.InRange(operations.Count, 20, int.MaxValue);
    }

    private static void SkipWithoutTracer() =>
        Assert.SkipUnless(SystemCalls.CanBeBroken, "no strace on this machine; .ci/run installs it as root");

    /// <summary>Every operation on files of one publication, as the same process does it again and again.</summary>
    private static async Task<IReadOnlyList<SystemCall>> ListAsync(PublishingProcess process, int before, int[] sizes)
    {
        var runs = new List<IReadOnlyList<SystemCall>>();
        // Rarely the runtime makes a call of its own in between, and all that follow have other numbers.
        while (runs.Count < 2 || !runs[^2].Select(NameOf).SequenceEqual(runs[^1].Select(NameOf)))
        {
            Assert.True(runs.Count < TriesMax, "no two publications did the same");
            using var workshop = await PublishedAsync(before);
            await using var calls = await SystemCalls.FollowAsync(process.Id);
            Assert.Equal((sizes[^1], 0), await process.PublishAsync(workshop.Folder, sizes));
            runs.Add(await calls.EndAsync(workshop.Folder));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{runs[^1].Count} operations");
        return runs[^1];

        static (string Name, int Number) NameOf(SystemCall call) => (call.Name, call.Number);
    }

    /// <summary>Publishes while one operation fails, and looks at the log; false when the fault met no file of the log.</summary>
    private static async Task<bool> BreaksAsync(PublishingProcess process, SystemCall operation, string error, int[] sizes)
    {
        using var workshop = new LogWorkshop();
        await using var calls = await SystemCalls.FollowAsync(process.Id, operation.Fails(error));
        var answer = await process.PublishAsync(workshop.Folder, sizes);
        var broken = (await calls.EndAsync(workshop.Folder))
            .SingleOrDefault(call => call.Arguments.Contains("INJECTED", StringComparison.Ordinal));
        Assert.True(answer == (sizes[^1], broken is null ? 0 : 1), $"{answer} after {broken}");
        workshop.Leaves.Grow(sizes[^1]);
        await AssertWholeAsync(workshop, $"{broken}");
        return broken is not null;
    }

    private static async Task<LogWorkshop> PublishedAsync(int size)
    {
        var workshop = new LogWorkshop();
        workshop.Leaves.Grow(size);
        if (size > 0)
            await workshop.PublishAsync();
        return workshop;
    }

    private static async Task<long> SizeAsync(LogWorkshop workshop)
    {
        var note = await workshop.Blobs.ReadAsync(LogPublisher.CheckpointPath, Ct);
        if (note is null)
            return 0;
        workshop.Seen.Add(note);
        return NoteVerifier.VerifyCheckpoint(note, workshop.Signer.Key).Checkpoint.Size;
    }

    private static async Task AssertWholeAsync(LogWorkshop workshop, string after)
    {
        var report = await workshop.FsckAsync();
        Assert.True(report.IsWhole, $"{string.Join("; ", report.Problems)} after {after}");
        Assert.Equal(workshop.Leaves.Rows.Count, await SizeAsync(workshop));
        workshop.AssertNoFork();
    }

    private static void AssertEachKind(IReadOnlyList<SystemCall> operations)
    {
        foreach (var kind in (string[])["open", "write", "fsync", "rename", "mkdir", "unlink"])
            Assert.Contains(operations, call => call.Name.Contains(kind, StringComparison.Ordinal));
    }
}
