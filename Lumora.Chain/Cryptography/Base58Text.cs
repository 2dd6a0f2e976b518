using System.Buffers;
using SimpleBase;

#if LUMORA_NODE
namespace Lumora.Node.Cryptography;
#else
namespace Lumora.Chain.Cryptography;
#endif

/// <summary>
/// Reads base58 that comes from outside. SimpleBase reads beyond its table where a character is not of ASCII, and throws. The node
/// agent, which may not reference this project, compiles the same file for itself.
/// </summary>
public static class Base58Text
{
    private static readonly SearchValues<char> Alphabet = SearchValues.Create("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");

    /// <summary>
    /// Decodes <paramref name="text"/> into <paramref name="bytes"/>, <paramref name="length"/> of them; false when a character is
    /// not of the alphabet or they do not fit.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> bytes, out int length)
    {
        length = 0;
        return !text.ContainsAnyExcept(Alphabet) && Base58.Bitcoin.TryDecode(text, bytes, out length);
    }
}
