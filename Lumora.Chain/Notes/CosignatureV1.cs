using System.Globalization;
using System.Text;

namespace Lumora.Chain.Notes;

/// <summary>The signed message of an Ed25519 witness (C2SP tlog-cosignature): a time line in front of the whole checkpoint text.</summary>
public static class CosignatureV1
{
    /// <summary>Bytes of the time, seconds since 1970 big-endian, in front of the signature.</summary>
    public const int TimeBytes = 8;

    /// <summary>What is signed.</summary>
    public static byte[] Message(long unixSeconds, string text) => Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {unixSeconds}\n{text}"));
}
