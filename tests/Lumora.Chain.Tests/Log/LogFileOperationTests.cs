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
        var (process, operations) = await ListAsync(before: 0, sizes);
        await using var ends = process;
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
        var (listed, operations) = await ListAsync(before, [after]);
        await listed.DisposeAsync();
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

    /// <summary>
    /// A process, and every operation on files of one publication by it, as it does them again and again. Rarely the runtime makes a call
    /// of its own in between, and all that follow have other numbers: twice the same is asked for, of that process or the next.
    /// </summary>
    private static async Task<(PublishingProcess Process, IReadOnlyList<SystemCall> Operations)> ListAsync(int before, int[] sizes)
    {
        var difference = "";
        for (var tries = 0; tries < TriesMax; tries++)
        {
            var process = await PublishingProcess.StartAsync();
            var last = await FollowAsync(process, before, sizes);
            for (var again = 1; again < TriesMax; again++)
            {
                var next = await FollowAsync(process, before, sizes);
                if (Same(last, next))
                {
                    TestContext.Current.TestOutputHelper!.WriteLine($"{next.Count} operations");
                    return (process, next);
                }

                difference = $"{last.Count} and {next.Count} calls, {last.Zip(next).FirstOrDefault(pair => NameOf(pair.First) != NameOf(pair.Second))}";
                last = next;
            }

            await process.DisposeAsync();
        }

        throw new InvalidOperationException($"no two publications did the same: {difference}");

        // In whatever order: it is the numbers that say which is broken.
        static bool Same(IReadOnlyList<SystemCall> last, IReadOnlyList<SystemCall> next) => last.Select(NameOf).Order().SequenceEqual(next.Select(NameOf).Order());

        static (string Name, int Number) NameOf(SystemCall call) => (call.Name, call.Number);
    }

    private static async Task<IReadOnlyList<SystemCall>> FollowAsync(PublishingProcess process, int before, int[] sizes)
    {
        using var workshop = await PublishedAsync(before);
        await using var calls = await SystemCalls.FollowAsync(process.Id);
        Assert.Equal((sizes[^1], 0), await process.PublishAsync(workshop.Folder, sizes));
        return await calls.EndAsync(workshop.Folder);
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
