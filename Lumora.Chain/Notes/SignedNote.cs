using System.Buffers.Binary;
using System.Text;

namespace Lumora.Chain.Notes;

/// <summary>One signature line of a note.</summary>
/// <param name="KeyName">The name of the key that is said to have signed.</param>
/// <param name="KeyId">Tells keys of that name apart.</param>
/// <param name="Signature">What stands behind the key id: 64 bytes of Ed25519; of a witness 8 of time and 64, or 2,420 of ML-DSA-44.</param>
public sealed record NoteSignature(string KeyName, uint KeyId, ReadOnlyMemory<byte> Signature)
{
    internal const string Prefix = "\u2014 ";
    internal const int KeyIdBytes = 4;

    /// <summary>Whether the line names <paramref name="key"/>; whether the signature is good is another question.</summary>
    public bool IsOf(VerifierKey key) => KeyId == key.Id && KeyName == key.Name;

    /// <summary>The line as it stands in a note, without its newline.</summary>
    public string ToLine()
    {
        var blob = new byte[KeyIdBytes + Signature.Length];
        BinaryPrimitives.WriteUInt32BigEndian(blob, KeyId);
        Signature.CopyTo(blob.AsMemory(KeyIdBytes));
        return $"{Prefix}{KeyName} {Convert.ToBase64String(blob)}";
    }
}

/// <summary>
/// A text and its signatures (C2SP signed-note). Reading one checks its form alone; whether a signature is good is for
/// <see cref="Verification.NoteVerifier"/> to say.
/// </summary>
public sealed class SignedNote
{
    /// <summary>The longest note that is read: room for 16 signatures of nearly 5 kB, which the specification tells to expect.</summary>
    public const int BytesMax = 131_072;

    /// <summary>Signature lines that are read: the specification asks for 16 at least and for a limit.</summary>
    public const int SignaturesMax = 100;

    /// <summary>A note of <paramref name="text"/>, which ends with a newline.</summary>
    /// <exception cref="FormatException">The text may not be signed as a note.</exception>
    public SignedNote(string text, IReadOnlyList<NoteSignature> signatures)
    {
        if (!text.EndsWith('\n'))
            throw new FormatException("A note's text ends with a newline.");
        RefuseControls(text);
        (Text, Signatures) = (text, signatures);
    }

    /// <summary>The text with its final newline: the bytes that are signed.</summary>
    public string Text { get; }

    /// <summary>The signature lines in their order.</summary>
    public IReadOnlyList<NoteSignature> Signatures { get; }

    /// <summary>The UTF-8 bytes of <see cref="Text"/>.</summary>
    public byte[] TextBytes => Encoding.UTF8.GetBytes(Text);

    /// <summary>Reads a note.</summary>
    /// <exception cref="FormatException">The bytes are no note; the message says why.</exception>
    public static SignedNote Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax)
            throw new FormatException($"The note has {bytes.Length} bytes, more than {BytesMax}.");
        var note = StrictText.DecodeUtf8(bytes, "note");
        RefuseControls(note);
        // The text itself may hold empty lines: the last one divides.
        var split = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (split < 0)
            throw new FormatException("The note has no empty line before its signatures.");
        var lines = note[(split + 2)..];
        if (lines.Length == 0)
            throw new FormatException("The note has no signatures behind its last empty line.");
        if (!lines.EndsWith('\n'))
            throw new FormatException("The note does not end with a newline.");
        var signatures = lines[..^1].Split('\n').Select(ParseSignature).ToList();
        if (signatures.Count > SignaturesMax)
            throw new FormatException($"The note has {signatures.Count} signatures, more than {SignaturesMax}.");
        return new SignedNote(note[..(split + 1)], signatures);
    }

    /// <summary>This note with one more signature.</summary>
    public SignedNote With(NoteSignature signature) => new(Text, [.. Signatures, signature]);

    /// <summary>This note with the lines of <paramref name="keys"/> alone.</summary>
    public SignedNote Only(IReadOnlyCollection<VerifierKey> keys) => new(Text, [.. Signatures.Where(line => keys.Any(line.IsOf))]);

    /// <summary>The note's bytes: text, empty line, signature lines.</summary>
    public byte[] ToBytes()
    {
        var note = new StringBuilder(Text).Append('\n');
        foreach (var signature in Signatures)
            note.Append(signature.ToLine()).Append('\n');
        return Encoding.UTF8.GetBytes(note.ToString());
    }

    private static void RefuseControls(string text)
    {
        if (text.Any(c => c < ' ' && c != '\n'))
            throw new FormatException("A note holds no control characters but newlines.");
    }

    private static NoteSignature ParseSignature(string line)
    {
        if (!line.StartsWith(NoteSignature.Prefix, StringComparison.Ordinal))
            throw new FormatException("A signature line starts with an em dash and a space.");
        var parts = line[NoteSignature.Prefix.Length..].Split(' ');
        if (parts.Length != 2 || !VerifierKey.IsName(parts[0]))
            throw new FormatException("A signature line holds a key name and base64, with one space between.");
        if (!StrictText.TryBase64(parts[1], out var blob) || blob.Length <= NoteSignature.KeyIdBytes)
            throw new FormatException($"The signature of {parts[0]} is no canonical base64 of a key id and a signature.");
        return new NoteSignature(
            parts[0], BinaryPrimitives.ReadUInt32BigEndian(blob), blob.AsMemory(NoteSignature.KeyIdBytes));
    }
}
