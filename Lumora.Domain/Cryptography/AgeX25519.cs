using System.Security.Cryptography;

namespace Lumora.Domain.Cryptography;

/// <summary>The X25519 recipient stanza (C2SP age.md, "X25519 recipient stanza").</summary>
internal static class AgeX25519
{
    private const string Type = "X25519";
    private const int TagLength = 16;
    private static readonly byte[] Nonce = new byte[12];

    public static AgeStanza Wrap(
        ReadOnlySpan<byte> fileKey, AgeRecipient recipient, ICurve25519 curve, RandomSource random)
    {
        var ephemeral = new byte[AgeRecipient.KeyLength];
        random(ephemeral);
        var share = curve.X25519PublicKey(ephemeral);
        var shared = curve.X25519Agree(ephemeral, recipient.PublicKey) ?? throw new AgeException(
            AgeFault.LowOrderPoint, "This recipient is a point of low order: anybody could decrypt.");
        var body = new byte[AgeHeader.FileKeyLength + TagLength];
        using (var cipher = Cipher(shared, share, recipient.PublicKey))
            cipher.Encrypt(Nonce, fileKey, body.AsSpan(0, AgeHeader.FileKeyLength), body.AsSpan(AgeHeader.FileKeyLength));
        CryptographicOperations.ZeroMemory(ephemeral);
        CryptographicOperations.ZeroMemory(shared);
        return new AgeStanza([Type, AgeBase64.Encode(share)], body);
    }

    /// <summary>The file key, or null when the stanza is not for <paramref name="identity"/>.</summary>
    public static byte[]? Unwrap(AgeStanza stanza, int number, AgeIdentity identity, ICurve25519 curve)
    {
        if (stanza.Arguments[0] != Type)
            return null;
        if (stanza.Arguments.Count != 2)
            throw Bad(number, "an X25519 stanza has exactly two arguments");
        if (!AgeBase64.TryDecode(stanza.Arguments[1], out var share) || share.Length != AgeRecipient.KeyLength)
            throw Bad(number, "its ephemeral share is not canonical base64 of 32 bytes without padding");
        // Checked before decryption: else a long body could hold keys for several recipients (partitioning oracle).
        if (stanza.Body.Length != AgeHeader.FileKeyLength + TagLength)
            throw Bad(number, $"its body has {stanza.Body.Length} bytes instead of 32");
        var shared = curve.X25519Agree(identity.Secret, share) ?? throw new AgeException(
            AgeFault.LowOrderPoint, $"age header, stanza {number}: the ephemeral share is a point of low order.");

        var fileKey = new byte[AgeHeader.FileKeyLength];
        using var cipher = Cipher(shared, share, identity.Recipient(curve).PublicKey);
        CryptographicOperations.ZeroMemory(shared);
        try
        {
            cipher.Decrypt(
                Nonce, stanza.Body.AsSpan(0, AgeHeader.FileKeyLength), stanza.Body.AsSpan(AgeHeader.FileKeyLength), fileKey);
            return fileKey;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static ChaCha20Poly1305 Cipher(
        ReadOnlySpan<byte> shared, ReadOnlySpan<byte> share, ReadOnlySpan<byte> recipient)
    {
        Span<byte> salt = stackalloc byte[2 * AgeRecipient.KeyLength];
        share.CopyTo(salt);
        recipient.CopyTo(salt[AgeRecipient.KeyLength..]);
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, key, salt, "age-encryption.org/v1/X25519"u8);
        var cipher = new ChaCha20Poly1305(key);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }

    private static AgeException Bad(int number, string what) =>
        new(AgeFault.BadHeader, $"age header, stanza {number}: {what}.");
}
