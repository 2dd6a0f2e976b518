using Lumora.Domain.Merkle;

namespace Lumora.Domain.Tasks;

/// <summary>The RFC 6962 root over the lines of a result: the node computes it before encryption, the curator again after decryption.</summary>
public static class ContentRoot
{
    /// <summary>The root over the lines of <paramref name="ndjson"/>, read to its end, in lower-case hex. A line's newline is not part of it.</summary>
    /// <exception cref="InvalidDataException">The last line has no newline.</exception>
    public static string Of(Stream ndjson)
    {
        var range = new CompactRange();
        foreach (var line in Lines(ndjson))
            range.Append(MerkleHash.OfLeaf(line));
        return range.Root().ToString();
    }

    /// <summary>The lines of <paramref name="ndjson"/>, without their newlines.</summary>
    /// <exception cref="InvalidDataException">The last line has no newline.</exception>
    public static IEnumerable<byte[]> Lines(Stream ndjson)
    {
        var buffer = new byte[64 * 1024];
        using var line = new MemoryStream();
        while (ndjson.Read(buffer) is var read and > 0)
        {
            var start = 0;
            while (Array.IndexOf(buffer, (byte)'\n', start, read - start) is var end and >= 0)
            {
                line.Write(buffer, start, end - start);
                yield return line.ToArray();
                line.SetLength(0);
                start = end + 1;
            }

            line.Write(buffer, start, read - start);
        }

        if (line.Length > 0)
            throw new InvalidDataException("The last line does not end with a newline.");
    }
}
