using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Cryptography;

namespace Lumora.Domain.Tests.Cryptography;

/// <summary>Fixed keys and the low-level steps with which the tests build files that the library itself never writes.</summary>
internal static class AgeFixture
{
    public static readonly ICurve25519 Curve = new Curve25519();

    /// <summary>The identity and recipient that C2SP age.md prints as examples.</summary>
    public const string IdentityText = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

    public const string RecipientText = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

    public static readonly AgeIdentity Identity = AgeIdentity.Parse(IdentityText);

    public static readonly AgeRecipient Recipient = AgeRecipient.Parse(RecipientText);

    public static readonly byte[] FileKey = Encoding.ASCII.GetBytes("YELLOW SUBMARINE");

    public static readonly byte[] Nonce = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];

    public static byte[] Encrypt(byte[] plaintext, params AgeRecipient[] recipients)
    {
        using var source = new MemoryStream(plaintext);
        using var destination = new MemoryStream();
        AgeEncryptor.EncryptAsync(
            source, destination, recipients.Length == 0 ? [Recipient] : recipients, Curve, RandomNumberGenerator.Fill,
            TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        return destination.ToArray();
    }

    public static byte[] Decrypt(byte[] file, AgeIdentity? identity = null)
    {
        using var source = new MemoryStream(file);
        using var destination = new MemoryStream();
        AgeDecryptor.DecryptAsync(
            source, destination, [identity ?? Identity], Curve, TestContext.Current.CancellationToken)
            .GetAwaiter().GetResult();
        return destination.ToArray();
    }

    public static AgeException Refused(byte[] file) => Assert.Throws<AgeException>(() => Decrypt(file));

    public static string Header() =>
        Encoding.ASCII.GetString(AgeHeader.Write(FileKey, [Recipient], Curve, RandomNumberGenerator.Fill));

    /// <summary>A header with the given lines between the version line and a correct MAC.</summary>
    public static byte[] HeaderOf(params string[] lines)
    {
        var text = "age-encryption.org/v1\n" + string.Concat(lines.Select(line => line + "\n")) + "---";
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, FileKey, 32, [], "header"u8.ToArray());
        var mac = HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(text));
        return Encoding.ASCII.GetBytes(text + " " + Convert.ToBase64String(mac).TrimEnd('=') + "\n");
    }

    /// <summary>A payload of exactly these chunks, the last one marked final when <paramref name="final"/> says so.</summary>
    public static byte[] PayloadOf(bool final, params byte[][] chunks)
    {
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, FileKey, 32, Nonce, "payload"u8.ToArray());
        using var cipher = new ChaCha20Poly1305(key);
        using var payload = new MemoryStream();
        payload.Write(Nonce);
        for (var i = 0; i < chunks.Length; i++)
        {
            var nonce = new byte[12];
            BinaryPrimitives.WriteInt32BigEndian(nonce.AsSpan(7), i);
            nonce[11] = final && i == chunks.Length - 1 ? (byte)1 : (byte)0;
            var output = new byte[chunks[i].Length + 16];
            cipher.Encrypt(nonce, chunks[i], output.AsSpan(0, chunks[i].Length), output.AsSpan(chunks[i].Length));
            payload.Write(output);
        }

        return payload.ToArray();
    }

    public static byte[] FileOf(byte[] header, byte[] payload) => [.. header, .. payload];

    public static byte[] FileOf(bool final, params byte[][] chunks) =>
        FileOf(Encoding.ASCII.GetBytes(Header()), PayloadOf(final, chunks));

    public static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
            bytes[i] = (byte)((i * 31 + (i >> 8)) & 0xFF);
        return bytes;
    }
}
