using System.Security.Cryptography;
using System.Text;

namespace Lumora.Domain.Cryptography;

/// <summary>One recipient stanza: the file key, wrapped for somebody.</summary>
/// <param name="Arguments">The first is the stanza's type, for example <c>X25519</c>; never empty.</param>
/// <param name="Body">The wrapped key.</param>
internal sealed record AgeStanza(IReadOnlyList<string> Arguments, byte[] Body);

/// <summary>
/// The text at the head of an age file: recipient stanzas and a MAC (C2SP age.md, "Header"). It is written apart from
/// the payload, because the market stores one payload and writes one header for each buyer
/// (docs/decisions/0004-one-age-file-key-for-several-headers.md).
/// </summary>
public sealed class AgeHeader
{
    /// <summary>Bytes of a file key.</summary>
    public const int FileKeyLength = 16;

    /// <summary>A header beyond this many bytes is refused.</summary>
    public const int LengthMax = 64 * 1024;

    internal const string VersionLine = "age-encryption.org/v1";
    internal const string MacMark = "---";
    private const int Columns = 64;

    private readonly byte[] _mac;
    private readonly byte[] _macInput;

    internal AgeHeader(IReadOnlyList<AgeStanza> stanzas, byte[] mac, byte[] macInput) =>
        (Stanzas, _mac, _macInput) = (stanzas, mac, macInput);

    internal IReadOnlyList<AgeStanza> Stanzas { get; }

    /// <summary>
    /// The header of a file with <paramref name="fileKey"/> (16 bytes) for <paramref name="recipients"/> (at least
    /// one); <paramref name="random"/> gives a fresh ephemeral secret for each.
    /// </summary>
    /// <exception cref="AgeException">A recipient is a point of low order.</exception>
    public static byte[] Write(
        ReadOnlySpan<byte> fileKey, IReadOnlyList<AgeRecipient> recipients, ICurve25519 curve, RandomSource random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(fileKey.Length, FileKeyLength, nameof(fileKey));
        ArgumentOutOfRangeException.ThrowIfZero(recipients.Count, nameof(recipients));
        var text = new StringBuilder(VersionLine).Append('\n');
        foreach (var recipient in recipients)
            Append(text, AgeX25519.Wrap(fileKey, recipient, curve, random));
        text.Append(MacMark);
        var mac = Mac(fileKey, Encoding.ASCII.GetBytes(text.ToString()));
        return Encoding.ASCII.GetBytes(text.Append(' ').Append(AgeBase64.Encode(mac)).Append('\n').ToString());
    }

    /// <summary>Reads the whole header, from the version line to the line feed after the MAC.</summary>
    /// <exception cref="AgeException"><see cref="AgeFault.BadHeader"/>, with the line.</exception>
    public static AgeHeader Parse(ReadOnlySpan<byte> header) => AgeHeaderParser.Parse(header);

    /// <summary>The file key, taken from the first stanza that one of <paramref name="identities"/> opens.</summary>
    /// <exception cref="AgeException">
    /// No identity fits, the MAC is wrong, a stanza for X25519 is malformed, or a share is a point of low order.
    /// </exception>
    public byte[] Unwrap(IReadOnlyList<AgeIdentity> identities, ICurve25519 curve)
    {
        foreach (var identity in identities)
        {
            for (var i = 0; i < Stanzas.Count; i++)
            {
                if (AgeX25519.Unwrap(Stanzas[i], i + 1, identity, curve) is not { } fileKey)
                    continue;
                return CryptographicOperations.FixedTimeEquals(Mac(fileKey, _macInput), _mac)
                    ? fileKey
                    : throw new AgeException(
                        AgeFault.BadMac, "age header: the MAC in the last line is wrong; the header was changed.");
            }
        }

        throw new AgeException(
            AgeFault.NoMatchingIdentity,
            $"age header: none of its {Stanzas.Count} recipient stanza(s) opens with the given identity; " +
            "the file is for somebody else, or the stanza was changed.");
    }

    private static byte[] Mac(ReadOnlySpan<byte> fileKey, ReadOnlySpan<byte> macInput)
    {
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, fileKey, key, [], "header"u8);
        var mac = HMACSHA256.HashData(key, macInput);
        CryptographicOperations.ZeroMemory(key);
        return mac;
    }

    private static void Append(StringBuilder text, AgeStanza stanza)
    {
        text.Append("-> ").AppendJoin(' ', stanza.Arguments).Append('\n');
        var body = AgeBase64.Encode(stanza.Body);
        var at = 0;
        for (; body.Length - at >= Columns; at += Columns)
            text.Append(body, at, Columns).Append('\n');
        // The last line is shorter than 64 columns, if need be empty.
        text.Append(body, at, body.Length - at).Append('\n');
    }
}
