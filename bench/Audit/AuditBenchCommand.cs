using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Verification;
using Lumora.Cli.Audit;

namespace Lumora.Bench.Audit;

/// <summary><c>bench audit</c>.</summary>
internal static class AuditBenchCommand
{
    private const int EntriesDefault = 100_000;
    private const int Unable = 2;

    private const string Description =
        """
        Measures the auditor on a log that it makes in a folder: entries a second of processor time for hashing and comparing alone,
        and for the whole of lumora audit, each three times; the best counts.
        Exit code: 0 measured, 2 the log that was made is not clean.
        """;

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var entries = new Option<int>("--entries")
        {
            Description = "Entries of the log.",
            DefaultValueFactory = _ => EntriesDefault,
            HelpName = "COUNT",
        };
        var command = new Command("audit", Description) { entries };
        command.SetAction(async (parsed, ct) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            using var log = new MadeLog(parsed.GetValue(entries));
            await log.PublishAsync(ct);
            var count = await log.SizeAsync(ct);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{count} entries, {log.Bytes / count} bytes each"));
            var (hashed, audited) = (double.MaxValue, double.MaxValue);
            for (var i = 0; i < 3; i++)
            {
                hashed = Math.Min(hashed, await TimeAsync(() => HashAsync(log, ct)));
                var code = Unable;
                audited = Math.Min(audited, await TimeAsync(async () => code = await AuditAsync(log, ct)));
                if (code != 0)
                    return Unable;
            }

            Write("hashing, tiles and root", hashed);
            Write("the whole audit", audited);
            return 0;

            void Write(string what, double seconds) => output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{what,-26} {count / seconds,10:N0} entries/s of one core ({seconds:0.00} s)"));
        });
        return command;
    }

    private static async Task HashAsync(MadeLog log, CancellationToken ct)
    {
        var blobs = new FolderBlobStore(Path.Combine(log.Folder, "log"));
        var note = (await blobs.ReadAsync(LogPublisher.CheckpointPath, ct))!;
        var report = await LogFsck.RunAsync(
            new BlobTiles(blobs), NoteVerifier.VerifyCheckpoint(note, log.Key).Checkpoint, TreeEdge.Empty, (_, _) => ValueTask.CompletedTask, ct);
        if (!report.IsWhole)
            throw new BenchException(report.Problems[0]);
    }

    private static Task<int> AuditAsync(MadeLog log, CancellationToken ct) => AuditCommand.Create()
        .Parse(["--folder", Path.Combine(log.Folder, "log"), "--key", log.Key.ToString()])
        .InvokeAsync(new InvocationConfiguration { Output = TextWriter.Null }, ct);

    // Processor time of all threads: what a machine with more cores to spare would hide.
    private static async Task<double> TimeAsync(Func<Task> work)
    {
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        await work();
        process.Refresh();
        return (process.TotalProcessorTime - before).TotalSeconds;
    }
}
