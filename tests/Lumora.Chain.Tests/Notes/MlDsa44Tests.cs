using System.Security.Cryptography;
using CsCheck;
using Lumora.Chain.Notes;
using Org.BouncyCastle.Crypto.Digests;

namespace Lumora.Chain.Tests.Notes;

/// <summary>ML-DSA-44 against known answers of other implementations, and .NET's own where the machine has it.</summary>
public sealed class MlDsa44Tests
{
    /// <summary>
    /// The accumulated test of C2SP's CCTV (ML-DSA/accumulated): seeds from one SHAKE128, each public key and its deterministic signature of
    /// an empty message into another. One hash stands for all of them; several independent implementations agree on it.
    /// </summary>
    [Fact]
    public void Keys_and_signatures_are_those_that_other_implementations_make()
    {
        Assert.Equal("d51148e1f9f4fa1a723a6cf42e25f2a99eb5c1b378b3d2dbbd561b1203beeae4", Accumulate(100));
        if (LongForm.Iterations(1) > 1)
            Assert.Equal("e7fd21f6a59bcba60d65adc44404bb29a7c00e5d8d3ec06a732c00a306a7d143", Accumulate(10_000));
    }

    [Fact]
    public void A_changed_message_key_or_signature_is_refused() =>
        Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[1, 100], Gen.Int[0, int.MaxValue], Gen.Int[0, 7], Gen.Int[0, 2]).Sample(
            (seed, message, at, bit, what) =>
            {
                var (key, signature) = (MlDsa44.PublicKey(seed), MlDsa44.Sign(seed, message));
                Assert.Equal((MlDsa44.PublicKeyBytes, MlDsa44.SignatureBytes), (key.Length, signature.Length));
                Assert.True(MlDsa44.Verifies(key, message, signature));
                var changed = what switch { 0 => message, 1 => key, _ => signature };
                changed[at % changed.Length] ^= (byte)(1 << bit);
                Assert.False(MlDsa44.Verifies(key, message, signature));
            },
            seed: LongForm.Seed, iter: LongForm.Iterations(30));

    [Fact]
    public void Keys_and_signatures_of_other_lengths_are_refused_without_an_exception()
    {
        var (key, signature) = (MlDsa44.PublicKey(new byte[32]), MlDsa44.Sign(new byte[32], "x"u8));
        Assert.False(MlDsa44.Verifies(key.AsSpan()[..^1], "x"u8, signature));
        Assert.False(MlDsa44.Verifies([.. key, 0], "x"u8, signature));
        Assert.False(MlDsa44.Verifies(key, "x"u8, signature.AsSpan()[..^1]));
        Assert.False(MlDsa44.Verifies(key, "x"u8, [.. signature, 0]));
        Assert.False(MlDsa44.Verifies(key, "x"u8, []));
    }

    [Fact]
    public void The_systems_own_library_agrees_where_there_is_one()
    {
        Assert.SkipUnless(MLDsa.IsSupported, "This system's OpenSSL has no ML-DSA.");
        Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[0, 200]).Sample(
            (seed, message) =>
            {
                using var key = MLDsa.ImportMLDsaPrivateSeed(MLDsaAlgorithm.MLDsa44, seed);
                Assert.Equal(key.ExportMLDsaPublicKey(), MlDsa44.PublicKey(seed));
                Assert.True(key.VerifyData(message, MlDsa44.Sign(seed, message)));
                Assert.True(MlDsa44.Verifies(key.ExportMLDsaPublicKey(), message, key.SignData(message)));
            },
            seed: LongForm.Seed, iter: LongForm.Iterations(30));
    }

    private static string Accumulate(int count)
    {
        var (seeds, all) = (new ShakeDigest(128), new ShakeDigest(128));
        var seed = new byte[MlDsa44.SeedBytes];
        for (var i = 0; i < count; i++)
        {
            seeds.Output(seed, 0, seed.Length);
            var (key, signature) = (MlDsa44.PublicKey(seed), MlDsa44.Sign(seed, []));
            all.BlockUpdate(key, 0, key.Length);
            all.BlockUpdate(signature, 0, signature.Length);
            Assert.True(MlDsa44.Verifies(key, [], signature));
        }

        var result = new byte[32];
        all.Output(result, 0, result.Length);
        return Convert.ToHexStringLower(result);
    }
}
