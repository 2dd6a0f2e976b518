using System.Globalization;
using System.Text;
using Lumora.Chain.Notes;
using Lumora.Domain.Merkle;

namespace Lumora.Chain.Witnesses;

/// <summary>
/// The body of <c>POST add-checkpoint</c> (C2SP tlog-witness): the size that the witness has cosigned last, the proof from there
/// to the new checkpoint, and the checkpoint.
/// </summary>
/// <param name="OldSize">Leaves of the last checkpoint that the witness cosigned; 0 for none.</param>
/// <param name="Proof">The consistency proof; empty when <paramref name="OldSize"/> is 0 or the new size.</param>
/// <param name="Checkpoint">The signed note, verbatim.</param>
public sealed record AddCheckpointRequest(long OldSize, IReadOnlyList<MerkleHash> Proof, ReadOnlyMemory<byte> Checkpoint)
{
    /// <summary>The longest body that is read.</summary>
    public const int BytesMax = SignedNote.BytesMax + 4_096;

    /// <summary>"The client MUST NOT send more than 63 consistency proof lines."</summary>
    public const int ProofMax = 63;

    private const string OldPrefix = "old ";

    /// <summary>Reads a body; the checkpoint in it is not looked at.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static AddCheckpointRequest Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax)
            throw new FormatException($"The request has {bytes.Length} bytes, more than {BytesMax}.");
        // The first empty line ends the proof; the checkpoint behind it holds one of its own.
        var split = bytes.IndexOf("\n\n"u8);
        if (split < 0)
            throw new FormatException("The request has no empty line before its checkpoint.");
        var lines = StrictText.DecodeUtf8(bytes[..split], "request").Split('\n');
        if (!lines[0].StartsWith(OldPrefix, StringComparison.Ordinal)
            || !StrictText.TryInteger(lines[0][OldPrefix.Length..], out var oldSize))
            throw new FormatException("The request does not start with \"old\" and a size without leading zeros.");
        if (lines.Length - 1 > ProofMax)
            throw new FormatException($"The request has {lines.Length - 1} hashes, more than {ProofMax}.");
        var proof = lines[1..].Select(line => MerkleHash.TryParseBase64(line, out var hash)
            ? hash
            : throw new FormatException($"\"{line}\" is no canonical base64 of a hash.")).ToList();
        return new AddCheckpointRequest(oldSize, proof, bytes[(split + 2)..].ToArray());
    }

    /// <summary>The body.</summary>
    public byte[] ToBytes()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{OldPrefix}{OldSize}\n");
        foreach (var hash in Proof)
            text.Append(hash.ToBase64()).Append('\n');
        text.Append('\n');
        return [.. Encoding.UTF8.GetBytes(text.ToString()), .. Checkpoint.Span];
    }
}
