using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Lumora.Api.Tasks;

/// <summary>Reads NDJSON line by line with bounded memory.</summary>
internal static class NdjsonLines
{
    private const int LineBytesMax = 16 << 20;

    /// <summary>The lines of <paramref name="stream"/> without their newlines.</summary>
    /// <exception cref="InvalidDataException">A line is too long.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        Stream stream, [EnumeratorCancellation] CancellationToken ct)
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                yield return buffer.Slice(0, end).ToArray();
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (buffer.Length > LineBytesMax)
                throw new InvalidDataException("A line is too long.");
            if (read.IsCompleted && buffer.Length > 0)
            {
                yield return buffer.ToArray();
                buffer = buffer.Slice(buffer.End);
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
                break;
        }

        await reader.CompleteAsync();
    }
}
