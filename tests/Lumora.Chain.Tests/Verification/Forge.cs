using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Lumora.Chain.Notes;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;

namespace Lumora.Chain.Tests.Verification;

/// <summary>
/// Writes notes by hand and signs them with the second Ed25519 library: also what our own code would refuse to sign, so that a
/// note is refused for its form and not for its signature.
/// </summary>
internal static class Forge
{
    /// <summary>The order of Ed25519's base point: S and S + L are the same scalar.</summary>
    public static readonly BigInteger GroupOrder =
        BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493", CultureInfo.InvariantCulture);

    /// <summary>The seed of the golden log's key, and of the golden witness's.</summary>
    public static readonly byte[] LogSeed = [.. Enumerable.Repeat((byte)1, 32)];

    /// <summary>The seed of the golden witness's key.</summary>
    public static readonly byte[] WitnessSeed = [.. Enumerable.Repeat((byte)2, 32)];

    /// <summary>Signs with BouncyCastle.</summary>
    public static byte[] Sign(byte[] seed, ReadOnlySpan<byte> message)
    {
        var signer = new Ed25519Signer();
        signer.Init(forSigning: true, new Ed25519PrivateKeyParameters(seed));
        signer.BlockUpdate(message);
        return signer.GenerateSignature();
    }

    /// <summary>Verifies with BouncyCastle.</summary>
    public static bool Verifies(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, byte[] signature)
    {
        try
        {
            var verifier = new Ed25519Signer();
            verifier.Init(forSigning: false, new Ed25519PublicKeyParameters(publicKey));
            verifier.BlockUpdate(message);
            return verifier.VerifySignature(signature);
        }
        catch (ArgumentException)
        {
            // "invalid public key"
            return false;
        }
    }

    /// <summary>The public key of a seed, by BouncyCastle.</summary>
    public static byte[] PublicKey(byte[] seed) => new Ed25519PrivateKeyParameters(seed).GeneratePublicKey().GetEncoded();

    /// <summary>The first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key).</summary>
    public static byte[] KeyId(string name, byte type, byte[] publicKey) =>
        SHA256.HashData([.. Encoding.UTF8.GetBytes(name), 0x0A, type, .. publicKey])[..4];

    /// <summary>A vkey with the right id.</summary>
    public static string Vkey(string name, byte type, byte[] publicKey) =>
        $"{name}+{Convert.ToHexStringLower(KeyId(name, type, publicKey))}+{Convert.ToBase64String([type, .. publicKey])}";

    /// <summary>A signature line with its newline.</summary>
    public static string Line(string name, ReadOnlySpan<byte> keyId, ReadOnlySpan<byte> signature) =>
        $"\u2014 {name} {Convert.ToBase64String([.. keyId, .. signature])}\n";

    /// <summary>The golden log's line under <paramref name="text"/>.</summary>
    public static string LogLine(string text) => LogLine(Encoding.UTF8.GetBytes(text));

    /// <summary>The golden log's line under <paramref name="text"/>.</summary>
    public static string LogLine(byte[] text) => LogLineOf(Sign(LogSeed, text));

    /// <summary>A line under the golden log's name and key id.</summary>
    public static string LogLineOf(byte[] signature) =>
        Line(GoldenLog.Origin, KeyId(GoldenLog.Origin, 1, PublicKey(LogSeed)), signature);

    /// <summary>The golden witness's line under <paramref name="text"/>.</summary>
    public static string WitnessLine(string text, long seconds) =>
        WitnessLineOf([.. Time(seconds), .. Sign(WitnessSeed, Encoding.UTF8.GetBytes($"cosignature/v1\ntime {seconds}\n{text}"))]);

    /// <summary>A line under the golden witness's name and key id.</summary>
    public static string WitnessLineOf(byte[] signature) =>
        Line("witness.example/w1", KeyId("witness.example/w1", 4, PublicKey(WitnessSeed)), signature);

    /// <summary>8 bytes, big-endian.</summary>
    public static byte[] Time(long seconds)
    {
        var bytes = new byte[CosignatureV1.TimeBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, seconds);
        return bytes;
    }

    /// <summary>The same signature with S + L in the place of S (RFC 8032 §5.1.7 refuses it, older code does not).</summary>
    public static byte[] Malleated(byte[] signature)
    {
        var s = new BigInteger(signature.AsSpan(32), isUnsigned: true) + GroupOrder;
        var changed = signature[..32].Concat(new byte[32]).ToArray();
        Assert.True(s.TryWriteBytes(changed.AsSpan(32), out _, isUnsigned: true));
        return changed;
    }
}
