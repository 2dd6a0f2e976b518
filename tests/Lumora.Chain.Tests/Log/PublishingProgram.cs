using System.Globalization;
using System.Runtime.InteropServices;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;

namespace Lumora.Chain.Tests.Log;

/// <summary>
/// What a <see cref="PublishingProcess"/> runs: for each line with a folder and sizes it publishes the golden log there, one checkpoint after the
/// other. After a fault it goes on, as the host does. It answers with the last size and how many faults there were.
/// </summary>
internal static class PublishingProgram
{
    public const string Argument = "--publish";
    public const string Ready = "ready";

    private const int FaultsMax = 10;

    // prctl(2): who may trace this process where only its parents may otherwise.
    private const int SetTracer = 0x59616d61;

    public static async Task<int> RunAsync()
    {
        _ = ProcessControl(SetTracer, nuint.MaxValue, 0, 0, 0);
        // One thread does everything: calls are counted for each.
        if (!ThreadPool.SetMinThreads(1, 1) || !ThreadPool.SetMaxThreads(1, 1))
            throw new InvalidOperationException("The thread pool stays larger than one thread.");
        await Task.Yield();
        // Everything is loaded and compiled before anybody counts.
        var folder = Path.Combine(Path.GetTempPath(), $"lumora-warm-{Guid.NewGuid():N}");
        foreach (var sizes in (int[][])[[3], [256, 260], [260, 513]])
            await PublishAsync(folder, sizes);
        Directory.Delete(folder, recursive: true);
        Console.WriteLine(Ready);
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var parts = line.Split('\t');
            var answer = await PublishAsync(parts[0], [.. parts.Skip(1).Select(size => int.Parse(size, CultureInfo.InvariantCulture))]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{answer.Size}\t{answer.Faults}"));
        }

        return 0;
    }

    private static async Task<(long Size, int Faults)> PublishAsync(string folder, int[] sizes)
    {
        var faults = 0;
        using var checkpointLock = await UntilDoneAsync(
            () => Task.FromResult(new FolderCheckpointLock(Path.Combine(folder, "lock"))), () => faults++);
        using var signer = new LogSigner(GoldenLog.LogSigner());
        var leaves = new LogWorkshop.MemoryLeaves();
        var publisher = new LogPublisher("ledger", leaves, new FolderBlobStore(Path.Combine(folder, "log")), checkpointLock, signer);
        var published = 0L;
        foreach (var size in sizes)
        {
            leaves.Grow(size);
            published = (await UntilDoneAsync(() => publisher.PublishAsync(CancellationToken.None), () => faults++))!.Checkpoint.Size;
        }

        return (published, faults);
    }

    private static async Task<T> UntilDoneAsync<T>(Func<Task<T>> act, Func<int> onFault)
    {
        while (true)
        {
            try
            {
                return await act();
            }
            catch (Exception exception) when (
                exception is IOException or UnauthorizedAccessException or LogRefusedException { InnerException: IOException })
            {
                if (onFault() > FaultsMax)
                    throw;
            }
        }
    }

    [DllImport("libc", EntryPoint = "prctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);
}
