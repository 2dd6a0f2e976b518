using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lumora.Domain.Cryptography;

/// <summary>
/// The binary part of an age file: a nonce of 16 bytes and chunks of 64 KiB, each with ChaCha20-Poly1305 under a
/// counter and a mark on the last one (C2SP age.md, "Payload"). Memory stays at two chunks, whatever the length.
/// </summary>
public static class AgePayload
{
    /// <summary>Plaintext bytes in every chunk but the last.</summary>
    public const int ChunkLength = 64 * 1024;

    /// <summary>Bytes that a chunk grows by.</summary>
    public const int TagLength = 16;

    /// <summary>Bytes of the payload's nonce.</summary>
    public const int NonceLength = 16;

    private const int SealedLength = ChunkLength + TagLength;

    /// <summary>Bytes of the payload (nonce and chunks) of <paramref name="plaintextLength"/> bytes.</summary>
    public static long LengthOf(long plaintextLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(plaintextLength);
        var chunks = Math.Max(1, (plaintextLength + ChunkLength - 1) / ChunkLength);
        return NonceLength + plaintextLength + chunks * TagLength;
    }

    /// <summary>Writes <paramref name="nonce"/> and the encrypted chunks of everything in <paramref name="source"/>.</summary>
    /// <param name="fileKey">16 random bytes, for this plaintext only.</param>
    /// <param name="nonce">16 random bytes, for this payload only.</param>
    /// <param name="source">Read to its end.</param>
    /// <param name="destination">Gets the payload; stays open.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    /// <returns>Plaintext bytes read.</returns>
    public static async Task<long> EncryptAsync(
        ReadOnlyMemory<byte> fileKey,
        ReadOnlyMemory<byte> nonce,
        Stream source,
        Stream destination,
        CancellationToken cancellationToken = default)
    {
        using var cipher = Cipher(fileKey.Span, nonce.Span);
        await destination.WriteAsync(nonce, cancellationToken);
        var plain = ArrayPool<byte>.Shared.Rent(ChunkLength + 1);
        var output = ArrayPool<byte>.Shared.Rent(SealedLength);
        try
        {
            var total = 0L;
            var held = 0;
            for (var index = 0L; ; index++)
            {
                // One byte more than a chunk says whether this chunk is the last.
                held += await source.ReadAtLeastAsync(
                    plain.AsMemory(held, ChunkLength + 1 - held), ChunkLength + 1 - held, false, cancellationToken);
                var final = held <= ChunkLength;
                var length = Math.Min(held, ChunkLength);
                Seal(cipher, index, final, plain.AsSpan(0, length), output);
                await destination.WriteAsync(output.AsMemory(0, length + TagLength), cancellationToken);
                total += length;
                if (final)
                    return total;
                plain[0] = plain[ChunkLength];
                held = 1;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plain, clearArray: true);
            ArrayPool<byte>.Shared.Return(output);
        }
    }

    /// <summary>
    /// Reads a payload (nonce and chunks) from where <paramref name="source"/> stands to its end and writes the
    /// plaintext, each chunk after it authenticated. After an exception, what was written must be thrown away.
    /// </summary>
    /// <returns>Plaintext bytes written.</returns>
    /// <exception cref="AgeException">The payload is truncated, extended, reordered or changed; the message says where.</exception>
    public static Task<long> DecryptAsync(
        ReadOnlyMemory<byte> fileKey, Stream source, Stream destination, CancellationToken cancellationToken = default) =>
        DecryptAsync(fileKey, source, 0, destination, cancellationToken);

    internal static async Task<long> DecryptAsync(
        ReadOnlyMemory<byte> fileKey, Stream source, long offset, Stream destination, CancellationToken cancellationToken)
    {
        var nonce = new byte[NonceLength];
        var nonceLength = await source.ReadAtLeastAsync(nonce, NonceLength, false, cancellationToken);
        if (nonceLength < NonceLength)
            throw new AgeException(
                AgeFault.Truncated, $"age payload: the file ends at byte {offset + nonceLength}, inside the payload's nonce.");
        offset += NonceLength;

        using var cipher = Cipher(fileKey.Span, nonce);
        var input = ArrayPool<byte>.Shared.Rent(SealedLength + 1);
        var plain = ArrayPool<byte>.Shared.Rent(ChunkLength);
        try
        {
            var total = 0L;
            var held = 0;
            for (var index = 0L; ; index++, offset += SealedLength)
            {
                held += await source.ReadAtLeastAsync(
                    input.AsMemory(held, SealedLength + 1 - held), SealedLength + 1 - held, false, cancellationToken);
                var final = held <= SealedLength;
                var length = Open(cipher, new Chunk(index, offset, final), input.AsSpan(0, Math.Min(held, SealedLength)), plain);
                await destination.WriteAsync(plain.AsMemory(0, length), cancellationToken);
                total += length;
                if (final)
                    return total;
                input[0] = input[SealedLength];
                held = 1;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plain, clearArray: true);
            ArrayPool<byte>.Shared.Return(input);
        }
    }

    private readonly record struct Chunk(long Index, long Offset, bool Final)
    {
        public string Place => $"age payload, chunk {Index} at byte {Offset}";
    }

    private static int Open(ChaCha20Poly1305 cipher, Chunk chunk, ReadOnlySpan<byte> input, Span<byte> plain)
    {
        if (input.Length < TagLength)
            throw new AgeException(
                AgeFault.Truncated, $"{chunk.Place}: the file ends after {input.Length} bytes of it; it is truncated.");
        var length = input.Length - TagLength;
        if (!TryOpen(cipher, chunk.Index, chunk.Final, input, plain[..length]))
            throw Refuse(cipher, chunk, input, plain[..length]);
        if (length == 0 && chunk.Index > 0)
            throw new AgeException(
                AgeFault.EmptyFinalChunk, $"{chunk.Place}: the final chunk is empty although others precede it.");
        return length;
    }

    /// <summary>Finds out what to say: the same bytes may be a good chunk in the wrong role.</summary>
    private static AgeException Refuse(ChaCha20Poly1305 cipher, Chunk chunk, ReadOnlySpan<byte> input, Span<byte> plain)
    {
        var good = TryOpen(cipher, chunk.Index, !chunk.Final, input, plain);
        CryptographicOperations.ZeroMemory(plain);
        return (good, chunk.Final) switch
        {
            (true, true) => new(AgeFault.Truncated, $"{chunk.Place}: the file ends here without its final chunk; it is truncated."),
            (true, false) => new(AgeFault.Extended, $"{chunk.Place}: bytes follow this final chunk; the file was extended."),
            (false, _) => new(
                AgeFault.BadChunk,
                $"{chunk.Place}: it does not authenticate; it was changed, cut, moved or comes from another file."),
        };
    }

    private static bool TryOpen(ChaCha20Poly1305 cipher, long index, bool final, ReadOnlySpan<byte> input, Span<byte> plain)
    {
        Span<byte> nonce = stackalloc byte[12];
        ChunkNonce(nonce, index, final);
        try
        {
            cipher.Decrypt(nonce, input[..plain.Length], input[plain.Length..], plain);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private static void Seal(ChaCha20Poly1305 cipher, long index, bool final, ReadOnlySpan<byte> plain, Span<byte> output)
    {
        Span<byte> nonce = stackalloc byte[12];
        ChunkNonce(nonce, index, final);
        cipher.Encrypt(nonce, plain, output[..plain.Length], output.Slice(plain.Length, TagLength));
    }

    /// <summary>11 bytes of counter, big endian, then 1 for the last chunk, else 0.</summary>
    private static void ChunkNonce(Span<byte> nonce, long index, bool final)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64BigEndian(nonce[3..11], index);
        nonce[11] = final ? (byte)1 : (byte)0;
    }

    private static ChaCha20Poly1305 Cipher(ReadOnlySpan<byte> fileKey, ReadOnlySpan<byte> nonce)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(fileKey.Length, AgeHeader.FileKeyLength, nameof(fileKey));
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, NonceLength, nameof(nonce));
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, fileKey, key, nonce, "payload"u8);
        var cipher = new ChaCha20Poly1305(key);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }
}
