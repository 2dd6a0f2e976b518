using System.Buffers.Binary;

namespace Lumora.Chain.Solana.Programs;

/// <summary>Little-endian pieces of instruction data.</summary>
internal static class InstructionData
{
    public static byte[] UInt32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    public static byte[] UInt64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes;
    }
}
