using System.Buffers.Binary;
using System.Security.Cryptography;
using Lumora.Chain.Cryptography;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Npgsql;
using SimpleBase;

namespace Lumora.Api.Identity;

/// <summary>
/// Nonces for one sign-in. The nonce carries its own expiry and MAC, so that giving one out stores nothing; a row is
/// written only when one comes back under a good signature, and makes it single-use.
/// </summary>
internal sealed class SignInNonces(LumoraHome home, ShardSessions sessions)
{
    /// <summary>How long a nonce holds.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private const int RandomLength = 12;
    private const int BodyLength = RandomLength + sizeof(long);
    private const int MacLength = 12;

    private readonly byte[] _key = SecretFile.ReadOrCreate(
        Path.Combine(home.Keys, "sign-in-nonce.key"), () => RandomNumberGenerator.GetBytes(32));

    /// <summary>A new nonce (letters and digits) and until when it holds.</summary>
    public (string Nonce, DateTimeOffset ExpiresAt) Issue(DateTimeOffset now)
    {
        var expires = now + Lifetime;
        Span<byte> bytes = stackalloc byte[BodyLength + MacLength];
        RandomNumberGenerator.Fill(bytes[..RandomLength]);
        BinaryPrimitives.WriteInt64BigEndian(bytes[RandomLength..], expires.ToUnixTimeSeconds());
        Mac(bytes[..BodyLength]).CopyTo(bytes[BodyLength..]);
        return (Base58.Bitcoin.Encode(bytes), expires);
    }

    /// <summary>Until when <paramref name="nonce"/> holds; null when it is not one of ours.</summary>
    public DateTimeOffset? ExpiryOf(string? nonce)
    {
        if (nonce is null || nonce.Length > 64)
            return null;
        var bytes = new byte[64];
        if (!Base58Text.TryDecode(nonce, bytes, out var length) || length != BodyLength + MacLength)
            return null;
        return CryptographicOperations.FixedTimeEquals(Mac(bytes.AsSpan(0, BodyLength)), bytes.AsSpan(BodyLength, MacLength))
            && Base58.Bitcoin.Encode(bytes.AsSpan(0, length)) == nonce
                ? DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(RandomLength)))
                : null;
    }

    /// <summary>Marks <paramref name="nonce"/> as used; false when it was.</summary>
    public async Task<bool> ConsumeAsync(string nonce, DateTimeOffset expires, CancellationToken cancellationToken)
    {
        await using var command = sessions.DataSource(ShardRole.Global).CreateCommand(
            "insert into auth_nonce_used (nonce, expires_at) values ($1, $2) on conflict do nothing");
        command.Parameters.Add(new NpgsqlParameter { Value = nonce });
        command.Parameters.Add(new NpgsqlParameter { Value = expires.ToUniversalTime() });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private ReadOnlySpan<byte> Mac(ReadOnlySpan<byte> body) => HMACSHA256.HashData(_key, body).AsSpan(0, MacLength);
}
