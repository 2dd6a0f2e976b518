using System.Security.Cryptography;

namespace Lumora.Domain.Cryptography;

/// <summary>Writes whole age v1 files that the ordinary <c>age</c> tool decrypts (C2SP age.md).</summary>
public static class AgeEncryptor
{
    /// <summary>Encrypts all of <paramref name="source"/> under a new file key.</summary>
    /// <param name="source">Read to its end.</param>
    /// <param name="destination">Gets the age file; stays open.</param>
    /// <param name="recipients">Each can decrypt; at least one.</param>
    /// <param name="curve">X25519.</param>
    /// <param name="random">Gives the file key, the nonce and the ephemeral secrets.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    /// <returns>Plaintext bytes read.</returns>
    public static async Task<long> EncryptAsync(
        Stream source,
        Stream destination,
        IReadOnlyList<AgeRecipient> recipients,
        ICurve25519 curve,
        RandomSource random,
        CancellationToken cancellationToken = default)
    {
        var fileKey = new byte[AgeHeader.FileKeyLength];
        var nonce = new byte[AgePayload.NonceLength];
        random(fileKey);
        random(nonce);
        try
        {
            await destination.WriteAsync(AgeHeader.Write(fileKey, recipients, curve, random), cancellationToken);
            return await AgePayload.EncryptAsync(fileKey, nonce, source, destination, cancellationToken);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(fileKey);
        }
    }
}

/// <summary>Reads whole age v1 files with X25519 stanzas, also those of the ordinary <c>age</c> tool (C2SP age.md).</summary>
public static class AgeDecryptor
{
    /// <summary>
    /// Decrypts an age file. Each chunk is written after it authenticated; after an exception, what was written must
    /// be thrown away.
    /// </summary>
    /// <param name="source">Read from where it stands to its end.</param>
    /// <param name="destination">Gets the plaintext; stays open.</param>
    /// <param name="identities">Tried in order on each stanza.</param>
    /// <param name="curve">X25519.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    /// <returns>Plaintext bytes written.</returns>
    /// <exception cref="AgeException">The file is refused; the message says what is wrong and where.</exception>
    public static async Task<long> DecryptAsync(
        Stream source,
        Stream destination,
        IReadOnlyList<AgeIdentity> identities,
        ICurve25519 curve,
        CancellationToken cancellationToken = default)
    {
        var header = await ReadHeaderAsync(source, cancellationToken);
        var fileKey = AgeHeader.Parse(header).Unwrap(identities, curve);
        try
        {
            return await AgePayload.DecryptAsync(fileKey, source, header.Length, destination, cancellationToken);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(fileKey);
        }
    }

    /// <summary>
    /// The bytes of the header, so that <paramref name="source"/> then stands at the payload. Read byte by byte:
    /// a header has a few hundred bytes, and nothing may be read beyond it.
    /// </summary>
    private static async Task<byte[]> ReadHeaderAsync(Stream source, CancellationToken cancellationToken)
    {
        using var header = new MemoryStream();
        var octet = new byte[1];
        var lineStart = 0;
        while (await source.ReadAsync(octet, cancellationToken) == 1)
        {
            header.WriteByte(octet[0]);
            if (header.Length > AgeHeader.LengthMax)
                throw new AgeException(
                    AgeFault.BadHeader, $"age header: it is longer than {AgeHeader.LengthMax} bytes, or this is no age file.");
            if (octet[0] != (byte)'\n')
                continue;
            if (IsLast(header, lineStart))
                return header.ToArray();
            lineStart = (int)header.Length;
        }

        throw new AgeException(
            AgeFault.BadHeader, $"age header: the file ends at byte {header.Length}, before the MAC line of the header.");
    }

    /// <summary>True for the MAC line, and for a first line that is not age's: the parser then says so.</summary>
    private static bool IsLast(MemoryStream header, int lineStart)
    {
        var line = header.GetBuffer().AsSpan(lineStart, (int)header.Length - lineStart);
        return line.StartsWith("---"u8) || (lineStart == 0 && !line.StartsWith("age-encryption.org/v1"u8));
    }
}
