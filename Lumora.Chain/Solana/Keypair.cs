using System.Security.Cryptography;
using Lumora.Chain.Cryptography;

namespace Lumora.Chain.Solana;

/// <summary>An Ed25519 key that signs transactions. Never printed: <see cref="ToString"/> gives the address.</summary>
public sealed class Keypair
{
    /// <summary>Bytes of a seed.</summary>
    public const int SeedLength = 32;

    private static readonly Curve25519 Curve = new();
    private readonly byte[] _seed;

    private Keypair(byte[] seed)
    {
        _seed = seed;
        PublicKey = new PublicKey(Curve.Ed25519PublicKey(seed));
    }

    /// <summary>The address.</summary>
    public PublicKey PublicKey { get; }

    /// <summary>A new key from the system's randomness.</summary>
    public static Keypair Generate() => new(RandomNumberGenerator.GetBytes(SeedLength));

    /// <summary>The key of a 32-byte seed.</summary>
    public static Keypair FromSeed(ReadOnlySpan<byte> seed) => seed.Length == SeedLength
        ? new Keypair(seed.ToArray())
        : throw new ArgumentException($"A seed has {SeedLength} bytes.", nameof(seed));

    /// <summary>The key of solana-keygen's 64 bytes (seed, then address); refuses halves that do not belong together.</summary>
    public static Keypair FromSecret(ReadOnlySpan<byte> secret)
    {
        if (secret.Length != SeedLength + PublicKey.Length)
            throw new FormatException($"A Solana key has {SeedLength + PublicKey.Length} bytes.");
        var keypair = FromSeed(secret[..SeedLength]);
        return secret[SeedLength..].SequenceEqual(keypair.PublicKey.KeyBytes)
            ? keypair
            : throw new FormatException("The key's address does not belong to its seed.");
    }

    /// <summary>The signature (64 bytes) over <paramref name="message"/>.</summary>
    public byte[] Sign(ReadOnlySpan<byte> message) => Curve.Ed25519Sign(_seed, message);

    /// <summary>The address; never the secret.</summary>
    public override string ToString() => PublicKey.Key;

    /// <summary>solana-keygen's 64 bytes.</summary>
    internal byte[] ToSecret() => [.. _seed, .. PublicKey.KeyBytes];
}
