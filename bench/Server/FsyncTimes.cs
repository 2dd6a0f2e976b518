using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Lumora.Bench.Server;

/// <summary>What making something durable costs on this machine; every rate of a run stands on it.</summary>
/// <param name="CommitMs">Median of a commit of one row less the median of a statement that writes nothing.</param>
/// <param name="FileMs">Median of 8 kB written and synced beside the data folder; null when it is not ours.</param>
internal sealed record FsyncTimes(double CommitMs, double? FileMs)
{
    private const int Attempts = 101;
    private const int PageBytes = 8_192;

    /// <summary>Measures both.</summary>
    public static async Task<FsyncTimes> MeasureAsync(BenchServer server, CancellationToken ct)
    {
        await using var connection = await server.Admin.OpenConnectionAsync(ct);
        await using (var make = new NpgsqlCommand("create table fsync_times (at timestamptz not null)", connection))
            await make.ExecuteNonQueryAsync(ct);
        try
        {
            await using var write = new NpgsqlCommand("insert into fsync_times values (now())", connection);
            await using var nothing = new NpgsqlCommand("select now()", connection);
            await write.PrepareAsync(ct);
            await nothing.PrepareAsync(ct);
            var commit = await MedianMsAsync(() => write.ExecuteNonQueryAsync(ct));
            var idle = await MedianMsAsync(() => nothing.ExecuteNonQueryAsync(ct));
            return new FsyncTimes(commit - idle, server.Folder is { } folder ? await FileAsync(folder) : null);
        }
        finally
        {
            await using var drop = new NpgsqlCommand("drop table fsync_times", connection);
            await drop.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"measured fsync: {CommitMs:0.000} ms (median of single-row commits less that of an empty statement)"
        + $"{(FileMs is { } file ? $", {file:0.000} ms (median of 8 kB written and synced beside the data folder)" : "")}");

    private static async Task<double?> FileAsync(string folder)
    {
        var path = Path.Combine(folder, "fsync-times");
        try
        {
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            var page = new byte[PageBytes];
            return await MedianMsAsync(() =>
            {
                file.Position = 0;
                file.Write(page);
                file.Flush(flushToDisk: true);
                return Task.CompletedTask;
            });
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task<double> MedianMsAsync(Func<Task> action)
    {
        var times = new double[Attempts];
        for (var i = 0; i < Attempts; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await action();
            times[i] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }

        Array.Sort(times);
        return times[Attempts / 2];
    }
}
