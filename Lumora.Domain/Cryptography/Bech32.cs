using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Lumora.Domain.Cryptography;

/// <summary>
/// Bech32 (BIP 173) as age uses it: without the limit of 90 characters. A trade-off of the checksum: beyond 90
/// characters it no longer guarantees to find four errors; keys stay below that.
/// </summary>
internal static class Bech32
{
    private const string Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private const int ChecksumLength = 6;

    /// <summary>Lower-case text of <paramref name="data"/> under <paramref name="prefix"/> (lower case).</summary>
    public static string Encode(string prefix, ReadOnlySpan<byte> data)
    {
        var values = new List<byte>((data.Length * 8 + 4) / 5 + ChecksumLength);
        int bits = 0, pending = 0;
        foreach (var octet in data)
        {
            bits = (bits << 8 | octet) & 0xFFF;
            for (pending += 8; pending >= 5; pending -= 5)
                values.Add((byte)(bits >> (pending - 5) & 31));
        }

        if (pending > 0)
            values.Add((byte)(bits << (5 - pending) & 31));
        var checksum = Polymod(prefix, [.. values, 0, 0, 0, 0, 0, 0]) ^ 1;
        for (var i = 0; i < ChecksumLength; i++)
            values.Add((byte)(checksum >> 5 * (ChecksumLength - 1 - i) & 31));
        var text = new StringBuilder(prefix).Append('1');
        foreach (var value in values)
            text.Append(Alphabet[value]);
        return text.ToString();
    }

    /// <summary>Reads text of one case only; <paramref name="fault"/> says what is wrong.</summary>
    public static bool TryDecode(
        string text,
        [NotNullWhen(true)] out string? prefix,
        [NotNullWhen(true)] out byte[]? data,
        [NotNullWhen(false)] out string? fault)
    {
        (prefix, data, fault) = (null, null, null);
        if (!Ascii.IsValid(text))
            return (fault = "it holds a character that is not of ASCII") is null;
        var lower = text.ToLowerInvariant();
        if (text.Any(char.IsAsciiLetterUpper) && text.Any(char.IsAsciiLetterLower))
            return (fault = "it mixes upper and lower case") is null;
        var separator = lower.LastIndexOf('1');
        if (separator < 1 || separator + ChecksumLength >= lower.Length)
            return (fault = "it has no prefix, no '1', or is too short") is null;

        var values = new byte[lower.Length - separator - 1];
        for (var i = 0; i < values.Length; i++)
        {
            var value = Alphabet.IndexOf(lower[separator + 1 + i], StringComparison.Ordinal);
            if (value < 0)
                return (fault = $"character {separator + 2 + i} is not of the Bech32 alphabet") is null;
            values[i] = (byte)value;
        }

        if (Polymod(lower[..separator], values) != 1)
            return (fault = "its checksum is wrong (a typing error?)") is null;
        if (Regroup(values.AsSpan(0, values.Length - ChecksumLength)) is not { } bytes)
            return (fault = "its last character has set bits beyond the data") is null;
        (prefix, data) = (lower[..separator], bytes);
        return true;
    }

    private static byte[]? Regroup(ReadOnlySpan<byte> values)
    {
        var bytes = new List<byte>(values.Length * 5 / 8);
        int bits = 0, pending = 0;
        foreach (var value in values)
        {
            bits = (bits << 5 | value) & 0xFFF;
            pending += 5;
            if (pending < 8)
                continue;
            pending -= 8;
            bytes.Add((byte)(bits >> pending & 0xFF));
        }

        return pending >= 5 || (bits & ((1 << pending) - 1)) != 0 ? null : [.. bytes];
    }

    private static uint Polymod(string prefix, ReadOnlySpan<byte> values)
    {
        var checksum = 1u;
        foreach (var character in prefix)
            checksum = Step(checksum, (uint)character >> 5);
        checksum = Step(checksum, 0);
        foreach (var character in prefix)
            checksum = Step(checksum, (uint)character & 31);
        foreach (var value in values)
            checksum = Step(checksum, value);
        return checksum;
    }

    private static uint Step(uint checksum, uint value)
    {
        ReadOnlySpan<uint> generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
        var top = checksum >> 25;
        checksum = (checksum & 0x1ffffff) << 5 ^ value;
        for (var i = 0; i < generator.Length; i++)
        {
            if ((top >> i & 1) != 0)
                checksum ^= generator[i];
        }

        return checksum;
    }
}
