using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;

namespace Lumora.Chain.Notes;

/// <summary>
/// ML-DSA-44 signatures (FIPS 204), pure and with an empty context, as C2SP tlog-cosignature asks for them. By BouncyCastle, for
/// .NET's own needs OpenSSL 3.5. Signing is deterministic: one message has one signature, as with Ed25519.
/// </summary>
public static class MlDsa44
{
    /// <summary>Bytes of a private key's seed ξ.</summary>
    public const int SeedBytes = 32;

    /// <summary>Bytes of a public key.</summary>
    public const int PublicKeyBytes = 1_312;

    /// <summary>Bytes of a signature.</summary>
    public const int SignatureBytes = 2_420;

    /// <summary>The public key of <paramref name="seed"/> (ML-DSA.KeyGen_internal).</summary>
    public static byte[] PublicKey(ReadOnlySpan<byte> seed) => PrivateKey(seed).GetPublicKeyEncoded();

    /// <summary>Signs with the key of <paramref name="seed"/>.</summary>
    public static byte[] Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> message)
    {
        var signer = new MLDsaSigner(MLDsaParameters.ml_dsa_44, deterministic: true);
        signer.Init(forSigning: true, PrivateKey(seed));
        signer.BlockUpdate(message);
        return signer.GenerateSignature();
    }

    /// <summary>Whether <paramref name="signature"/> is good; false also where key or signature have another length.</summary>
    public static bool Verifies(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != PublicKeyBytes || signature.Length != SignatureBytes)
            return false;
        var verifier = new MLDsaSigner(MLDsaParameters.ml_dsa_44, deterministic: true);
        verifier.Init(forSigning: false, MLDsaPublicKeyParameters.FromEncoding(MLDsaParameters.ml_dsa_44, publicKey.ToArray()));
        verifier.BlockUpdate(message);
        return verifier.VerifySignature(signature.ToArray());
    }

    private static MLDsaPrivateKeyParameters PrivateKey(ReadOnlySpan<byte> seed) =>
        MLDsaPrivateKeyParameters.FromSeed(MLDsaParameters.ml_dsa_44, seed.ToArray());
}
