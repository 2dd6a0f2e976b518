namespace Lumora.Chain.Solana;

/// <summary>Solana's compact-u16: 7 bits a byte, least significant first, at most 3 bytes.</summary>
internal static class CompactLength
{
    public static void Write(Stream output, int value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, ushort.MaxValue);
        while (value >= 0x80)
        {
            output.WriteByte((byte)((value & 0x7f) | 0x80));
            value >>= 7;
        }

        output.WriteByte((byte)value);
    }

    /// <summary>Reads a length and moves <paramref name="input"/> on; refuses longer forms than needed.</summary>
    public static int Read(ref ReadOnlySpan<byte> input)
    {
        var value = 0;
        for (var index = 0; index < 3; index++)
        {
            if (input.IsEmpty)
                throw new FormatException("A length is cut off.");
            var current = input[0];
            input = input[1..];
            if (index > 0 && current == 0)
                throw new FormatException("A length is longer than needed.");
            value |= (current & 0x7f) << (7 * index);
            if ((current & 0x80) == 0)
                return value <= ushort.MaxValue ? value : throw new FormatException("A length exceeds 65,535.");
        }

        throw new FormatException("A length has more than 3 bytes.");
    }
}
