using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lumora.Domain.Cryptography;

/// <summary>
/// Personal data inside an event, encrypted under a key of its subject: with the key gone, the data is gone, and every
/// Merkle proof over the event stays valid. Wire form: <c>v1.</c> and base64url of nonce (12 bytes), ciphertext and tag
/// (16 bytes), AES-256-GCM. The contract is docs/sealed-fields.md.
/// </summary>
[JsonConverter(typeof(SealedJsonConverter))]
public sealed record Sealed
{
    /// <summary>Bytes of a subject's key.</summary>
    public const int KeyLength = 32;

    private const string Version = "v1.";
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int TextLengthMax = 4096;

    private Sealed(string text) => Text = text;

    /// <summary>The wire form.</summary>
    public string Text { get; }

    /// <summary>Seals <paramref name="value"/>.</summary>
    /// <param name="key">The subject's key, 32 bytes.</param>
    /// <param name="subject">Whose data: the participant id; associated data, so that it cannot be moved to another.</param>
    /// <param name="field">Which field, for example <c>wallet</c>; associated data too.</param>
    /// <param name="value">At most 2,048 bytes of UTF-8.</param>
    /// <param name="random">Gives the nonce.</param>
    public static Sealed Seal(ReadOnlySpan<byte> key, string subject, string field, string value, RandomSource random)
    {
        var plain = Encoding.UTF8.GetBytes(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plain.Length, 2048, nameof(value));
        var box = new byte[NonceLength + plain.Length + TagLength];
        var nonce = box.AsSpan(0, NonceLength);
        random(nonce);
        using var cipher = new AesGcm(key, TagLength);
        cipher.Encrypt(
            nonce, plain, box.AsSpan(NonceLength, plain.Length), box.AsSpan(NonceLength + plain.Length), Bind(subject, field));
        CryptographicOperations.ZeroMemory(plain);
        return new Sealed(Version + Base64Url.EncodeToString(box));
    }

    /// <summary>Opens what <see cref="Seal"/> made with the same key, subject and field.</summary>
    /// <exception cref="CryptographicException">Another key, subject or field, or changed data.</exception>
    public string Open(ReadOnlySpan<byte> key, string subject, string field)
    {
        var box = Base64Url.DecodeFromChars(Text.AsSpan(Version.Length));
        var plain = new byte[box.Length - NonceLength - TagLength];
        using var cipher = new AesGcm(key, TagLength);
        cipher.Decrypt(
            box.AsSpan(0, NonceLength), box.AsSpan(NonceLength, plain.Length), box.AsSpan(NonceLength + plain.Length),
            plain, Bind(subject, field));
        return Encoding.UTF8.GetString(plain);
    }

    /// <summary>Reads the wire form; whether it opens shows only with the key.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Sealed? box)
    {
        box = null;
        if (text is null || text.Length > TextLengthMax || !text.StartsWith(Version, StringComparison.Ordinal)
            || !Base64Url.IsValid(text.AsSpan(Version.Length), out var length) || length < NonceLength + TagLength)
            return false;
        box = new Sealed(text);
        return true;
    }

    /// <summary>The wire form: it shows nothing.</summary>
    public override string ToString() => Text;

    private static byte[] Bind(string subject, string field) => Encoding.UTF8.GetBytes($"lumora-sealed/1\n{subject}\n{field}");
}

internal sealed class SealedJsonConverter : JsonConverter<Sealed>
{
    public override Sealed Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Sealed.TryParse(reader.GetString(), out var box)
            ? box
            : throw new JsonException("A sealed field is text of the form v1.<base64url>.");

    public override void Write(Utf8JsonWriter writer, Sealed value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Text);
}
