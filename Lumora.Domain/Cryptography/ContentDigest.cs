using System.Security.Cryptography;

namespace Lumora.Domain.Cryptography;

/// <summary>The <c>Content-Digest</c> field with SHA-256 (RFC 9530 §2).</summary>
public static class ContentDigest
{
    /// <summary>The field's name.</summary>
    public const string FieldName = "content-digest";

    private const string Key = "sha-256=:";

    /// <summary>The field's value for <paramref name="content"/>.</summary>
    public static string Of(ReadOnlySpan<byte> content) => OfHash(SHA256.HashData(content));

    /// <summary>The field's value for content with this SHA-256.</summary>
    public static string OfHash(ReadOnlySpan<byte> sha256) => $"{Key}{Convert.ToBase64String(sha256)}:";

    /// <summary>
    /// True when <paramref name="value"/> names SHA-256 and it is <paramref name="sha256"/>. Other algorithms beside it
    /// are passed over, a field without SHA-256 is false.
    /// </summary>
    public static bool Matches(string value, ReadOnlySpan<byte> sha256)
    {
        var member = value.Split(',').Select(part => part.Trim())
            .LastOrDefault(part => part.StartsWith(Key, StringComparison.Ordinal));
        Span<byte> hash = stackalloc byte[33];
        return member is not null
            && member.EndsWith(':') && member.Length > Key.Length
            && Convert.TryFromBase64String(member[Key.Length..^1], hash, out var length)
            && CryptographicOperations.FixedTimeEquals(hash[..length], sha256);
    }
}
