using System.Globalization;
using System.Text;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Notes;

/// <summary>
/// A portable proof that an entry stands in a log (C2SP tlog-proof, extension <c>.tlog-proof</c>): index, inclusion path, and
/// the signed checkpoint as it was published. We write no <c>extra</c> line, because nothing signs it.
/// </summary>
/// <param name="Index">The entry's place in the log, from 0.</param>
/// <param name="Path">The inclusion path, leaf sibling first.</param>
/// <param name="Checkpoint">The signed note, verbatim.</param>
public sealed record TlogProof(long Index, IReadOnlyList<MerkleHash> Path, ReadOnlyMemory<byte> Checkpoint)
{
    /// <summary>The longest proof file that is read: the longest note, its path, and something of an extra line.</summary>
    public const int BytesMax = SignedNote.BytesMax + 16_384;

    private const string Header = "c2sp.org/tlog-proof@v1";
    private const int PathMax = 63;

    /// <summary>Unauthenticated bytes that others may have put in; never trusted.</summary>
    public ReadOnlyMemory<byte>? Extra { get; init; }

    /// <summary>Reads a proof file.</summary>
    /// <exception cref="FormatException">It is no proof; the message says why.</exception>
    public static TlogProof Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax)
            throw new FormatException($"The proof has {bytes.Length} bytes, more than {BytesMax}.");
        // The first empty line ends the path; the checkpoint behind it holds one of its own.
        var split = bytes.IndexOf("\n\n"u8);
        if (split < 0)
            throw new FormatException("The proof has no empty line before its checkpoint.");
        var lines = StrictText.DecodeUtf8(bytes[..split], "proof").Split('\n');
        if (lines[0] != Header)
            throw new FormatException($"A proof starts with \"{Header}\".");
        var next = 1;
        ReadOnlyMemory<byte>? extra = null;
        if (next < lines.Length && lines[next].StartsWith("extra ", StringComparison.Ordinal))
        {
            extra = StrictText.TryBase64(lines[next]["extra ".Length..], out var blob)
                ? blob
                : throw new FormatException("The proof's extra line is no canonical base64.");
            next++;
        }

        if (next >= lines.Length || !lines[next].StartsWith("index ", StringComparison.Ordinal))
            throw new FormatException("The proof has no index line.");
        var number = lines[next]["index ".Length..];
        if (!StrictText.TryInteger(number, out var index))
            throw new FormatException($"The proof's index \"{number}\" is no decimal number without leading zeros.");
        var path = lines[(next + 1)..].Select(ParseHash).ToList();
        if (path.Count > PathMax)
            throw new FormatException($"The proof has {path.Count} hashes, more than {PathMax}.");
        return new TlogProof(index, path, bytes[(split + 2)..].ToArray()) { Extra = extra };
    }

    /// <summary>The proof file.</summary>
    public byte[] ToBytes()
    {
        var head = new StringBuilder(Header).Append('\n');
        if (Extra is { } extra)
            head.Append("extra ").Append(Convert.ToBase64String(extra.Span)).Append('\n');
        head.Append(CultureInfo.InvariantCulture, $"index {Index}\n");
        var bytes = new byte[head.Length + (Path.Count * (MerkleHash.Base64Size + 1)) + 1 + Checkpoint.Length];
        var length = Encoding.ASCII.GetBytes(head.ToString(), bytes);
        foreach (var hash in Path)
        {
            hash.CopyBase64To(bytes.AsSpan(length));
            length += MerkleHash.Base64Size;
            bytes[length++] = (byte)'\n';
        }

        bytes[length++] = (byte)'\n';
        Checkpoint.Span.CopyTo(bytes.AsSpan(length));
        return bytes;
    }

    private static MerkleHash ParseHash(string line) =>
        MerkleHash.TryParseBase64(line, out var hash)
            ? hash
            : throw new FormatException($"\"{line}\" is no canonical base64 of a hash.");
}
