using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Purchases;

/// <summary>
/// A short statement that the host hands out and later recognises as its own: <c>base64url(JSON).base64url(MAC)</c>,
/// MAC = HMAC-SHA-256 over <c>label LF JSON</c>. The label keeps a quote from being presented as a grant. Whoever
/// holds a token can read it, so nothing secret goes in.
/// </summary>
public static class SignedToken
{
    /// <summary>Bytes of a signing key.</summary>
    public const int KeyBytes = 32;

    /// <summary>Longest token that is looked at, in characters.</summary>
    public const int LengthMax = 4_096;

    /// <summary>Signs <paramref name="content"/> under <paramref name="label"/>.</summary>
    public static string Seal<T>(string label, T content, ReadOnlySpan<byte> key)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(content, WireJson.Messages);
        var token = $"{Base64Url.EncodeToString(json)}.{Base64Url.EncodeToString(Mac(label, json, key))}";
        Check.That(token.Length <= LengthMax);
        return token;
    }

    /// <summary>The content of <paramref name="token"/>, when it was signed under this label and key.</summary>
    public static bool TryOpen<T>(string label, string? token, ReadOnlySpan<byte> key, [NotNullWhen(true)] out T? content)
        where T : class
    {
        content = null;
        if (token is null || token.Length > LengthMax || token.Split('.') is not [var body, var mac])
            return false;
        if (!Base64Url.IsValid(body) || !Base64Url.IsValid(mac))
            return false;
        var json = Base64Url.DecodeFromChars(body);
        var expected = Mac(label, json, key);
        if (!CryptographicOperations.FixedTimeEquals(expected, Base64Url.DecodeFromChars(mac)))
            return false;
        // The decoder forgives white space, padding and spare bits: one token has one spelling.
        if (Base64Url.EncodeToString(json) != body || Base64Url.EncodeToString(expected) != mac)
            return false;
        content = JsonSerializer.Deserialize<T>(json, WireJson.Messages);
        return content is not null;
    }

    private static byte[] Mac(string label, ReadOnlySpan<byte> json, ReadOnlySpan<byte> key)
    {
        Check.That(key.Length == KeyBytes);
        return HMACSHA256.HashData(key, [.. Encoding.ASCII.GetBytes(label), (byte)'\n', .. json]);
    }
}
