using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Lumora.Cli.Reports;
using Lumora.Domain.Log;
using Lumora.Domain.Merkle;

namespace Lumora.Cli.Audit;

/// <summary>
/// Holds the export (<c>/v1/events</c>) against the bundles, line by line: whoever replays events from there must see the very bytes
/// that the log commits to.
/// </summary>
internal static class ExportCheck
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "export_same";

    private const int FindingsMax = 20;
    private const int BufferBytes = 128 * 1024;

    /// <summary>
    /// Compares as many lines as there are <paramref name="hashes"/>, the first of which is that of the entry <paramref name="from"/>; more
    /// lines are events that came later.
    /// </summary>
    public static async Task<IReadOnlyList<Finding>> RunAsync(
        Stream export, long from, IReadOnlyList<MerkleHash> hashes, Action<long> progress, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        var lines = PipeReader.Create(export, new StreamPipeReaderOptions(bufferSize: BufferBytes));
        var next = 0;
        while (next < hashes.Count && findings.Count < FindingsMax)
        {
            var read = await lines.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            while (next < hashes.Count && findings.Count < FindingsMax && rest.PositionOf((byte)'\n') is { } end)
            {
                var line = rest.Slice(0, end);
                if (line.Length > Leaf.BytesMax || MerkleHash.OfLeaf(line.IsSingleSegment ? line.FirstSpan : line.ToArray()) != hashes[next])
                    findings.Add(new Finding(Claim, Where(from + next), "its line in /v1/events is not the entry in the bundle"));
                rest = rest.Slice(rest.GetPosition(1, end));
                progress(++next);
            }

            if (rest.Length > Leaf.BytesMax && next < hashes.Count)
            {
                findings.Add(new Finding(Claim, Where(from + next), $"its line in /v1/events is longer than {Leaf.BytesMax} bytes"));
                break;
            }

            lines.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
                break;
        }

        await lines.CompleteAsync();
        if (next < hashes.Count && findings.Count < FindingsMax)
            findings.Add(new Finding(
                Claim, Where(from + next), string.Create(CultureInfo.InvariantCulture, $"/v1/events ends here, the checkpoint covers {from + hashes.Count} entries")));
        return findings;
    }

    private static string Where(long index) => string.Create(CultureInfo.InvariantCulture, $"entry {index}");
}
