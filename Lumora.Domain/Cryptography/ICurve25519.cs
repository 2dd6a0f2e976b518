namespace Lumora.Domain.Cryptography;

/// <summary>Fills the span with bytes that nobody can guess. Comes in as an argument, so that tests can fix it.</summary>
/// <param name="destination">Filled completely.</param>
public delegate void RandomSource(Span<byte> destination);

/// <summary>
/// The two uses of Curve25519 that the network needs and that .NET's own library lacks. A secret is 32 random bytes
/// in both; the domain stays free of packages, so the implementation is given to whoever needs it.
/// </summary>
public interface ICurve25519
{
    /// <summary>The Ed25519 public key (32 bytes) of <paramref name="seed"/> (32 bytes). RFC 8032 §5.1.5.</summary>
    byte[] Ed25519PublicKey(ReadOnlySpan<byte> seed);

    /// <summary>The Ed25519 signature (64 bytes) over <paramref name="message"/>. RFC 8032 §5.1.6.</summary>
    byte[] Ed25519Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> message);

    /// <summary>
    /// True when <paramref name="signature"/> is valid. A key or signature of wrong length or form is false, never an
    /// exception: it comes from outside.
    /// </summary>
    bool Ed25519Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature);

    /// <summary>The X25519 public key (32 bytes) of <paramref name="secret"/> (32 bytes). RFC 7748 §6.1.</summary>
    byte[] X25519PublicKey(ReadOnlySpan<byte> secret);

    /// <summary>
    /// The X25519 shared secret (32 bytes), or null when it is all zeros, that is when
    /// <paramref name="publicKey"/> is a point of low order (RFC 7748 §6.1).
    /// </summary>
    byte[]? X25519Agree(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> publicKey);
}
