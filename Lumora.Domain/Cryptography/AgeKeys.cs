using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Lumora.Domain.Cryptography;

/// <summary>To whom an age file is encrypted: an X25519 public key, written <c>age1…</c> (C2SP age.md).</summary>
public sealed record AgeRecipient
{
    /// <summary>Bytes of a public key.</summary>
    public const int KeyLength = 32;

    private const string Prefix = "age";
    private readonly byte[] _publicKey;

    private AgeRecipient(byte[] publicKey)
    {
        _publicKey = publicKey;
        Text = Bech32.Encode(Prefix, publicKey);
    }

    /// <summary>The X25519 public key, 32 bytes.</summary>
    public ReadOnlySpan<byte> PublicKey => _publicKey;

    /// <summary>The wire form, <c>age1…</c>.</summary>
    public string Text { get; }

    /// <summary>The recipient of a raw public key.</summary>
    /// <exception cref="AgeException">The key is a point of low order.</exception>
    public static AgeRecipient FromPublicKey(ReadOnlySpan<byte> publicKey)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(publicKey.Length, KeyLength, nameof(publicKey));
        return LowOrderPoints.Contains(publicKey)
            ? throw new AgeException(AgeFault.LowOrderPoint, "This recipient is a point of low order: anybody could decrypt.")
            : new AgeRecipient(publicKey.ToArray());
    }

    /// <summary>Reads <c>age1…</c>; <paramref name="fault"/> says what is wrong, for the person who typed it.</summary>
    public static bool TryParse(
        string? text, [NotNullWhen(true)] out AgeRecipient? recipient, [NotNullWhen(false)] out string? fault)
    {
        recipient = null;
        if (string.IsNullOrEmpty(text) || text.Length > 128)
            return (fault = "An age recipient is the text age1… of 62 characters.") is null;
        if (!Bech32.TryDecode(text, out var prefix, out var data, out var reason))
            return (fault = $"This is no age recipient: {reason}.") is null;
        if (prefix != Prefix || text[0] != 'a')
            return (fault = "An age recipient begins with age1, in lower case.") is null;
        if (data.Length != KeyLength)
            return (fault = $"An age recipient holds {KeyLength} bytes; this one holds {data.Length}.") is null;
        if (LowOrderPoints.Contains(data))
            return (fault = "This recipient is a point of low order: anybody could decrypt.") is null;
        (recipient, fault) = (new AgeRecipient(data), null);
        return true;
    }

    /// <summary>Reads <c>age1…</c>.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static AgeRecipient Parse(string text) =>
        TryParse(text, out var recipient, out var fault) ? recipient : throw new FormatException(fault);

    /// <inheritdoc/>
    public bool Equals(AgeRecipient? other) => other is not null && Text == other.Text;

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The wire form.</summary>
    public override string ToString() => Text;
}

/// <summary>What decrypts an age file: an X25519 secret, written <c>AGE-SECRET-KEY-1…</c> (C2SP age.md).</summary>
public sealed class AgeIdentity
{
    private const string Prefix = "age-secret-key-";
    private readonly byte[] _secret;

    private AgeIdentity(byte[] secret) => _secret = secret;

    /// <summary>The X25519 secret, 32 bytes.</summary>
    public ReadOnlySpan<byte> Secret => _secret;

    /// <summary>A new identity out of 32 bytes of <paramref name="random"/>.</summary>
    public static AgeIdentity Generate(RandomSource random)
    {
        var secret = new byte[AgeRecipient.KeyLength];
        random(secret);
        return new AgeIdentity(secret);
    }

    /// <summary>Reads <c>AGE-SECRET-KEY-1…</c>.</summary>
    /// <exception cref="FormatException">It is none; the message says why and never repeats the text.</exception>
    public static AgeIdentity Parse(string text)
    {
        if (!Bech32.TryDecode(text, out var prefix, out var data, out var reason))
            throw new FormatException($"This is no age identity: {reason}.");
        return prefix == Prefix && text[0] == 'A' && data.Length == AgeRecipient.KeyLength
            ? new AgeIdentity(data)
            : throw new FormatException("An age identity begins with AGE-SECRET-KEY-1 and holds 32 bytes.");
    }

    /// <summary>The recipient whose files this identity opens.</summary>
    public AgeRecipient Recipient(ICurve25519 curve) => AgeRecipient.FromPublicKey(curve.X25519PublicKey(_secret));

    /// <summary>The secret in the form of an age key file. Not <see cref="ToString"/>, so that no log shows it.</summary>
    public string ToSecretText() => Bech32.Encode(Prefix, _secret).ToUpperInvariant();

    /// <summary>Says nothing of the secret.</summary>
    public override string ToString() => "AgeIdentity (secret not shown)";
}

/// <summary>
/// The encodings of points on Curve25519 and its twist whose order divides 8: agreement with them gives zeros whatever
/// the secret is (RFC 7748 §6.1 and §7).
/// </summary>
internal static class LowOrderPoints
{
    private static readonly byte[][] Encodings =
    [
        .. new[]
        {
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        }.Select(Convert.FromHexString),
    ];

    public static bool Contains(ReadOnlySpan<byte> point)
    {
        Span<byte> masked = stackalloc byte[AgeRecipient.KeyLength];
        point.CopyTo(masked);
        masked[^1] &= 0x7f;
        var found = false;
        foreach (var encoding in Encodings)
            found |= CryptographicOperations.FixedTimeEquals(encoding, masked);
        return found;
    }
}
