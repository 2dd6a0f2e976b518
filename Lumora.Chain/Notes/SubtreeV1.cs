using System.Buffers.Binary;
using System.Text;

namespace Lumora.Chain.Notes;

/// <summary>
/// The signed message of an ML-DSA-44 witness (C2SP tlog-cosignature, <c>cosigned_message</c>): it binds the witness's name, and the
/// whole tree as the subtree from 0 to the checkpoint's size.
/// </summary>
public static class SubtreeV1
{
    /// <summary>Bytes of UTF-8 that the names of a witness and of a log may have in the message.</summary>
    public const int NameBytesMax = byte.MaxValue;

    /// <summary>What is signed; null when the text is no checkpoint, or a name is too long for the message.</summary>
    /// <param name="cosigner">The name of the witness's key.</param>
    /// <param name="unixSeconds">When it signs; 0 would say nothing of the largest tree.</param>
    /// <param name="text">The checkpoint's text.</param>
    public static byte[]? Message(string cosigner, long unixSeconds, string text)
    {
        Checkpoint checkpoint;
        try
        {
            checkpoint = Checkpoint.ParseLines(text);
        }
        catch (FormatException)
        {
            return null;
        }

        var (name, origin) = (Encoding.UTF8.GetBytes(cosigner), Encoding.UTF8.GetBytes(checkpoint.Origin));
        if (name.Length is 0 or > NameBytesMax || origin.Length > NameBytesMax)
            return null;
        // "uint8 label[12] = "subtree/v1\n\0"; opaque cosigner_name<1..2^8-1>; uint64 timestamp; opaque log_origin<1..2^8-1>;
        // uint64 start; uint64 end; uint8 hash[32];"
        return
        [
            .. "subtree/v1\n\0"u8, (byte)name.Length, .. name, .. Number(unixSeconds), (byte)origin.Length, .. origin,
            .. Number(0), .. Number(checkpoint.Size), .. checkpoint.Root.ToArray(),
        ];
    }

    private static byte[] Number(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }
}
