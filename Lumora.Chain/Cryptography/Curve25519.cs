using Lumora.Domain.Cryptography;
using NSec.Cryptography;

#if LUMORA_NODE
namespace Lumora.Node.Cryptography;
#else
namespace Lumora.Chain.Cryptography;
#endif

/// <summary>
/// Ed25519 and X25519 by NSec (libsodium). The node agent, which may not reference this project, compiles the same
/// file for itself.
/// </summary>
#if LUMORA_NODE
internal
#else
public
#endif
sealed class Curve25519 : ICurve25519
{
    /// <inheritdoc/>
    public byte[] Ed25519PublicKey(ReadOnlySpan<byte> seed)
    {
        using var key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        return key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }

    /// <inheritdoc/>
    public byte[] Ed25519Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> message)
    {
        using var key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        return SignatureAlgorithm.Ed25519.Sign(key, message);
    }

    /// <inheritdoc/>
    public bool Ed25519Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        PublicKey.TryImport(SignatureAlgorithm.Ed25519, publicKey, KeyBlobFormat.RawPublicKey, out var key)
        && SignatureAlgorithm.Ed25519.Verify(key!, message, signature);

    /// <inheritdoc/>
    public byte[] X25519PublicKey(ReadOnlySpan<byte> secret)
    {
        using var key = Key.Import(KeyAgreementAlgorithm.X25519, secret, KeyBlobFormat.RawPrivateKey);
        return key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }

    /// <inheritdoc/>
    public byte[]? X25519Agree(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> publicKey)
    {
        using var key = Key.Import(KeyAgreementAlgorithm.X25519, secret, KeyBlobFormat.RawPrivateKey);
        var other = PublicKey.Import(KeyAgreementAlgorithm.X25519, publicKey, KeyBlobFormat.RawPublicKey);
        var exportable = new SharedSecretCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport };
        using var shared = KeyAgreementAlgorithm.X25519.Agree(key, other, exportable);
        return shared?.Export(SharedSecretBlobFormat.RawSharedSecret);
    }
}
