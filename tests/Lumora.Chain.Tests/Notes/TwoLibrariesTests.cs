using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Lumora.Chain.Cryptography;
using Lumora.Chain.Notes;
using Lumora.Chain.Tests.Verification;
using Lumora.Chain.Verification;

namespace Lumora.Chain.Tests.Notes;

/// <summary>
/// Ed25519 by libsodium (NSec, which signs and verifies in Lumora) and by BouncyCastle. On signatures that anybody makes by the
/// rules they agree to the byte. Where the rules of RFC 8032 leave room (points of small order), what each does stands in
/// <see cref="Both_libraries_judge_crafted_signatures_as_written_here"/>.
/// </summary>
public sealed class TwoLibrariesTests
{
    private static readonly Curve25519 Sodium = new();
    private static readonly byte[] Message = "lumora.example/ledger\n"u8.ToArray();

    private static readonly string[] Expected =
    [
        "a good one: both take it",
        "S + L: both refuse it",
        "key of order 1, R the neutral point, S 0: both refuse it",
        "a good key, R of order 1: BouncyCastle alone takes it",
        "key of order 2, R the neutral point, S 0: both refuse it",
        "a good key, R of order 2: BouncyCastle alone takes it",
        "key of order 4, R the neutral point, S 0: both refuse it",
        "a good key, R of order 4: BouncyCastle alone takes it",
        "key of order 4 with its sign, R the neutral point, S 0: both refuse it",
        "a good key, R of order 4 with its sign: BouncyCastle alone takes it",
        "key of order 8, R the neutral point, S 0: both refuse it",
        "a good key, R of order 8: BouncyCastle alone takes it",
        "key of order 8 with its sign, R the neutral point, S 0: both refuse it",
        "a good key, R of order 8 with its sign: BouncyCastle alone takes it",
        "key of order 8, the other, R the neutral point, S 0: both refuse it",
        "a good key, R of order 8, the other: BouncyCastle alone takes it",
        "key of order 8, the other with its sign, R the neutral point, S 0: both refuse it",
        "a good key, R of order 8, the other with its sign: BouncyCastle alone takes it",
        "key of order 1 with a sign that is none, R the neutral point, S 0: both refuse it",
        "a good key, R of order 1 with a sign that is none: both refuse it",
        "key of order 2 with a sign that is none, R the neutral point, S 0: both refuse it",
        "a good key, R of order 2 with a sign that is none: both refuse it",
        "key of order 4, written p, R the neutral point, S 0: both refuse it",
        "a good key, R of order 4, written p: both refuse it",
        "key of order 1, written p + 1, R the neutral point, S 0: both refuse it",
        "a good key, R of order 1, written p + 1: both refuse it",
        "R with a part of order 8: BouncyCastle alone takes it",
        "key with a part of order 8 that cancels out: both take it",
        "key with a part of order 8 that does not: BouncyCastle alone takes it",
    ];

    [Fact]
    public void Notes_and_cosignatures_come_out_the_same_from_both() =>
        Gen.Select(Gen.Byte.Array[32], Gen.String[Gen.Char[' ', '\u2fff'], 0, 100], Gen.Long[0, 253_402_300_799]).Sample(
            (seed, words, seconds) =>
            {
                var text = words + "\n";
                using var log = new NoteSigner("log.example/x", SignatureKind.Ed25519, seed);
                using var witness = new NoteSigner("witness.example/x", SignatureKind.CosignatureV1, seed);
                Assert.Equal(Forge.Vkey("log.example/x", 1, Forge.PublicKey(seed)), log.Verifier.ToString());
                Assert.Equal(Forge.Vkey("witness.example/x", 4, Forge.PublicKey(seed)), witness.Verifier.ToString());

                var signature = log.Sign(text);
                var cosignature = witness.Cosign(text, DateTimeOffset.FromUnixTimeSeconds(seconds));
                Assert.Equal(Forge.Sign(seed, Encoding.UTF8.GetBytes(text)), signature.Signature);
                Assert.Equal(
                    [.. Forge.Time(seconds), .. Forge.Sign(seed, Encoding.UTF8.GetBytes($"cosignature/v1\ntime {seconds}\n{text}"))],
                    cosignature.Signature.ToArray());
                var good = NoteVerifier.Verify(new SignedNote(text, [signature, cosignature]), [log.Verifier, witness.Verifier]);
                Assert.Equal([null, DateTimeOffset.FromUnixTimeSeconds(seconds)], good.Select(one => one.CosignedAt));
            },
            seed: LongForm.Seed, iter: LongForm.Iterations(200));

    [Fact]
    public void Both_refuse_what_was_changed() =>
        Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[0, 100], Gen.Int[0, 63], Gen.Int[0, 7], Gen.Int[0, 3]).Sample(
            (seed, message, at, bit, what) =>
            {
                var key = Forge.PublicKey(seed);
                var signature = Forge.Sign(seed, message);
                Assert.Equal((true, true), Judge(key, message, signature));
                switch (what)
                {
                    case 0: signature[at] ^= (byte)(1 << bit); break;
                    case 1: message = [.. message, 0]; break;
                    case 2: key[at % 32] ^= (byte)(1 << bit); break;
                    default: signature = Forge.Malleated(signature); break;
                }

                Assert.Equal((false, false), Judge(key, message, signature));
            },
            seed: LongForm.Seed, iter: LongForm.Iterations(300));

    /// <summary>
    /// Neither takes a key of small order, S + L, or a point in a spelling that is not its own. They differ in parts of small order:
    /// BouncyCastle multiplies the equation by the cofactor 8, which drops them; libsodium compares R itself and takes no R of
    /// small order. So Lumora refuses more, and what it takes the other library takes too.
    /// </summary>
    [Fact]
    public void Both_libraries_judge_crafted_signatures_as_written_here()
    {
        var judged = Crafted().Select(one => $"{one.Desc}: {Words(Judge(one.Key, one.Message, one.Signature))}");
        Assert.Equal<IEnumerable<string>>(Expected, judged);
    }

    private static IEnumerable<(string Desc, byte[] Key, byte[] Message, byte[] Signature)> Crafted()
    {
        var good = Forge.Sign(Forge.LogSeed, Message);
        var key = Forge.PublicKey(Forge.LogSeed);
        yield return ("a good one", key, Message, good);
        yield return ("S + L", key, Message, Forge.Malleated(good));
        foreach (var (name, point) in SmallOrder.Keys)
        {
            yield return ($"key {name}, R the neutral point, S 0", point, WithMultiple(SmallOrder.Keys[0].Point, point), [.. SmallOrder.Keys[0].Point, .. new byte[32]]);
            yield return ($"a good key, R {name}", key, Message, Crafted(point));
        }

        var torsion = EdwardsPoint.Decode(SmallOrder.Keys[4].Point);
        yield return ("R with a part of order 8", key, Message, Crafted((Point(77) + torsion).Encode(), 77));
        var mixed = (EdwardsPoint.Decode(key) + torsion).Encode();
        var r = Point(77).Encode();
        yield return ("key with a part of order 8 that cancels out", mixed, WithMultiple(r, mixed), Crafted(r, 77, mixed, WithMultiple(r, mixed)));
        yield return ("key with a part of order 8 that does not", mixed, Message, Crafted(r, 77, mixed, Message));
    }

    /// <summary>A signature by the log's scalar with a chosen R: S = r + H(R ‖ A ‖ M)·a.</summary>
    private static byte[] Crafted(byte[] r, int scalar = 0, byte[]? key = null, byte[]? message = null)
    {
        var hash = SHA512.HashData(Forge.LogSeed);
        hash[0] &= 248;
        hash[31] = (byte)((hash[31] & 63) | 64);
        var secret = new BigInteger(hash.AsSpan(0, 32), isUnsigned: true);
        var s = (scalar + (Challenge(r, key ?? Forge.PublicKey(Forge.LogSeed), message ?? Message) * secret)) % Forge.GroupOrder;
        var signature = new byte[64];
        r.CopyTo(signature, 0);
        Assert.True(s.TryWriteBytes(signature.AsSpan(32), out _, isUnsigned: true));
        return signature;
    }

    private static EdwardsPoint Point(int scalar) => scalar * EdwardsPoint.Base;

    /// <summary>A message whose challenge is a multiple of 8, so that points of small order fall out of the equation.</summary>
    private static byte[] WithMultiple(byte[] r, byte[] key)
    {
        for (var i = 0; ; i++)
        {
            byte[] message = [.. Message, .. Encoding.ASCII.GetBytes($"{i}\n")];
            if ((Challenge(r, key, message) % 8).IsZero)
                return message;
        }
    }

    private static BigInteger Challenge(byte[] r, byte[] key, byte[] message) =>
        new BigInteger(SHA512.HashData([.. r, .. key, .. message]), isUnsigned: true) % Forge.GroupOrder;

    private static (bool Sodium, bool BouncyCastle) Judge(byte[] key, byte[] message, byte[] signature) =>
        (Sodium.Ed25519Verify(key, message, signature), Forge.Verifies(key, message, signature));

    private static string Words((bool Sodium, bool BouncyCastle) judged) => judged switch
    {
        (true, true) => "both take it",
        (false, false) => "both refuse it",
        (true, false) => "libsodium alone takes it",
        _ => "BouncyCastle alone takes it",
    };
}
