using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Lumora.Domain.Cryptography;
using static Lumora.Domain.Tests.Cryptography.AgeFixture;

namespace Lumora.Domain.Tests.Cryptography;

public sealed class AgeFileTests
{
    private const int Chunk = AgePayload.ChunkLength;

    [Fact]
    public void This_platform_has_the_cipher() => Assert.True(ChaCha20Poly1305.IsSupported);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Chunk - 1)]
    [InlineData(Chunk)]
    [InlineData(Chunk + 1)]
    [InlineData(3 * Chunk)]
    [InlineData(3 * Chunk + 17)]
    public void What_is_encrypted_decrypts_to_itself_at_every_chunk_boundary(int length)
    {
        var file = Encrypt(Bytes(length));
        Assert.Equal(Bytes(length), Decrypt(file));
        var headerLength = file.AsSpan().IndexOf("--- "u8) + 4 + 43 + 1;
        Assert.Equal(AgePayload.LengthOf(length), file.Length - headerLength);
    }

    [Fact]
    public void Any_bytes_for_any_recipients_decrypt_for_each_of_them() =>
        Gen.Select(Gen.Byte.Array[0, 300], Gen.Int[1, 4]).Sample((plaintext, count) =>
        {
            var identities = Enumerable.Range(0, count)
                .Select(_ => AgeIdentity.Generate(RandomNumberGenerator.Fill)).ToArray();
            var file = Encrypt(plaintext, [.. identities.Select(identity => identity.Recipient(Curve))]);
            return identities.All(identity => Decrypt(file, identity).SequenceEqual(plaintext));
        }, iter: 50);

    [Fact]
    public void A_change_of_any_one_byte_is_refused()
    {
        var file = Encrypt(Bytes(100));
        for (var i = 0; i < file.Length; i++)
        {
            var changed = file.ToArray();
            changed[i] ^= 1;
            var refusal = Refused(changed);
            Assert.Contains("age ", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_shorter_file_is_refused()
    {
        var file = Encrypt(Bytes(100));
        for (var length = 0; length < file.Length; length++)
            Refused(file[..length]);
    }

    [Fact]
    public void One_body_serves_several_headers()
    {
        var buyers = Enumerable.Range(0, 3).Select(_ => AgeIdentity.Generate(RandomNumberGenerator.Fill)).ToArray();
        var body = PayloadOf(true, Bytes(Chunk), Bytes(5));
        foreach (var buyer in buyers)
        {
            var header = AgeHeader.Write(FileKey, [buyer.Recipient(Curve)], Curve, RandomNumberGenerator.Fill);
            Assert.Equal([.. Bytes(Chunk), .. Bytes(5)], Decrypt(FileOf(header, body), buyer));
        }
    }

    [Fact]
    public async Task A_payload_with_a_given_key_and_nonce_is_the_same_each_time()
    {
        using var source = new MemoryStream([.. Bytes(Chunk), .. Bytes(9)]);
        using var destination = new MemoryStream();
        await AgePayload.EncryptAsync(FileKey, Nonce, source, destination, TestContext.Current.CancellationToken);
        Assert.Equal(PayloadOf(true, Bytes(Chunk), Bytes(9)), destination.ToArray());
    }

    [Fact]
    public async Task A_source_that_gives_few_bytes_at_a_time_makes_the_same_file()
    {
        var file = Encrypt(Bytes(Chunk + 100));
        using var source = new DripStream(file);
        using var destination = new MemoryStream();
        await AgeDecryptor.DecryptAsync(
            source, destination, [Identity], Curve, TestContext.Current.CancellationToken);
        Assert.Equal(Bytes(Chunk + 100), destination.ToArray());
    }

    [Fact]
    public void A_file_cut_at_a_chunk_boundary_is_called_truncated()
    {
        var refusal = Refused(FileOf(final: false, Bytes(Chunk), Bytes(Chunk)));
        Assert.Equal(AgeFault.Truncated, refusal.Fault);
        Assert.Contains("chunk 1 at byte", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(AgeFault.Truncated, Refused(Encoding.ASCII.GetBytes(Header())).Fault);
        Assert.Equal(AgeFault.Truncated, Refused([.. Encoding.ASCII.GetBytes(Header()), .. Nonce]).Fault);
    }

    [Fact]
    public void Bytes_after_the_final_chunk_are_called_an_extension()
    {
        var file = FileOf(final: true, Bytes(Chunk));
        Assert.Equal(AgeFault.Extended, Refused([.. file, .. Bytes(40)]).Fault);
    }

    [Fact]
    public void Reordered_chunks_are_refused_at_the_first_that_moved()
    {
        var payload = PayloadOf(true, Bytes(Chunk), Bytes(Chunk), Bytes(Chunk), Bytes(3));
        const int Sealed = Chunk + 16;
        byte[] moved =
        [
            .. payload[..(16 + Sealed)], .. payload[(16 + 2 * Sealed)..(16 + 3 * Sealed)],
            .. payload[(16 + Sealed)..(16 + 2 * Sealed)], .. payload[(16 + 3 * Sealed)..],
        ];
        var header = Header();
        var refusal = Refused(FileOf(Encoding.ASCII.GetBytes(header), moved));
        Assert.Equal(AgeFault.BadChunk, refusal.Fault);
        Assert.Contains($"chunk 1 at byte {header.Length + 16 + Sealed}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_final_chunk_is_refused_unless_the_whole_payload_is_empty()
    {
        Assert.Equal(AgeFault.EmptyFinalChunk, Refused(FileOf(final: true, Bytes(Chunk), [])).Fault);
        Assert.Empty(Decrypt(FileOf(final: true, Bytes(0))));
    }

    [Fact]
    public void A_stranger_learns_only_that_the_file_is_not_for_him()
    {
        var stranger = AgeIdentity.Generate(RandomNumberGenerator.Fill);
        var refusal = Assert.Throws<AgeException>(() => Decrypt(Encrypt(Bytes(10)), stranger));
        Assert.Equal(AgeFault.NoMatchingIdentity, refusal.Fault);
    }

    /// <summary>Gives at most 7 bytes a read, as a network may.</summary>
    private sealed class DripStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(7, buffer.Length)], cancellationToken);
    }
}
