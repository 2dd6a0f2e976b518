using System.Buffers;
using System.Buffers.Binary;

namespace Lumora.Domain.Kernel;

/// <summary>
/// Identifiers in the TypeID form: a prefix, <c>_</c>, and 128 bits in 26 characters of lower-case Crockford
/// base32. The bits come in as an argument (UUIDv7 from the host; random UUIDv4 for participants, whose id must
/// not say when they joined). Source: TypeID specification 0.3.
/// </summary>
public static class TypeId
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int SuffixLength = 26;
    private static readonly SearchValues<char> Digits = SearchValues.Create(Alphabet);

    /// <summary>The id of <paramref name="bits"/> under <paramref name="prefix"/>.</summary>
    public static string Format(string prefix, Guid bits)
    {
        Span<byte> bytes = stackalloc byte[16];
        bits.TryWriteBytes(bytes, bigEndian: true, out _);
        var value = new UInt128(
            BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        Span<char> text = stackalloc char[SuffixLength];
        for (var i = SuffixLength - 1; i >= 0; i--, value >>= 5)
            text[i] = Alphabet[(int)(uint)(value & 31)];
        return $"{prefix}_{text}";
    }

    /// <summary>True when <paramref name="text"/> is a well-formed id under <paramref name="prefix"/>.</summary>
    public static bool IsValid(string prefix, string? text)
    {
        if (text is null || text.Length != prefix.Length + 1 + SuffixLength)
            return false;
        if (!text.StartsWith(prefix, StringComparison.Ordinal) || text[prefix.Length] != '_')
            return false;
        var suffix = text.AsSpan(prefix.Length + 1);
        // 26 characters hold 130 bits: the first may not exceed 7.
        return suffix[0] <= '7' && suffix.IndexOfAnyExcept(Digits) < 0;
    }
}
