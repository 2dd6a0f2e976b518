using System.Diagnostics.CodeAnalysis;

namespace Lumora.Domain.Cryptography;

/// <summary>Base64 without padding, canonical in both directions (age.md, "Conventions"; RFC 4648 §3.5 and §4).</summary>
internal static class AgeBase64
{
    public static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    public static bool TryDecode(string text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.Length % 4 == 1)
            return false;
        var decoded = new byte[text.Length * 3 / 4];
        if (!Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), decoded, out var length))
            return false;
        // Writing it again catches what the decoder forgives: white space, padding, and set bits beyond the end.
        if (length != decoded.Length || Encode(decoded) != text)
            return false;
        bytes = decoded;
        return true;
    }
}
