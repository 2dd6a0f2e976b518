using System.Globalization;
using System.Numerics;

namespace Lumora.Chain.Tests.Notes;

/// <summary>
/// The curve of Ed25519 in plain numbers (RFC 8032 §5.1): slow, and only for making signatures that no library makes.
/// </summary>
internal readonly record struct EdwardsPoint(BigInteger X, BigInteger Y)
{
    private static readonly BigInteger P = BigInteger.Pow(2, 255) - 19;

    private static readonly BigInteger D = BigInteger.Parse(
        "37095705934669439343138083508754565189542113879843219016388785533085940283555", CultureInfo.InvariantCulture);

    private static readonly BigInteger RootOfMinusOne = BigInteger.ModPow(2, (P - 1) / 4, P);

    /// <summary>The base point B.</summary>
    public static EdwardsPoint Base { get; } = Decode(Convert.FromHexString("5866666666666666666666666666666666666666666666666666666666666666"));

    /// <summary>§5.1.3.</summary>
    public static EdwardsPoint Decode(ReadOnlySpan<byte> bytes)
    {
        byte[] low = [.. bytes[..31], (byte)(bytes[31] & 0x7F)];
        var y = new BigInteger(low, isUnsigned: true) % P;
        var squared = Mod((y * y) - 1) * Inverse(Mod((D * y * y) + 1)) % P;
        var x = BigInteger.ModPow(squared, (P + 3) / 8, P);
        if (x * x % P != squared)
            x = x * RootOfMinusOne % P;
        Assert.Equal(squared, x * x % P);
        var odd = bytes[31] >> 7 == 1;
        return new EdwardsPoint(x.IsEven == odd ? Mod(-x) : x, y);
    }

    /// <summary>§5.1.2.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[32];
        Assert.True(Y.TryWriteBytes(bytes, out _, isUnsigned: true));
        bytes[31] |= (byte)(X.IsEven ? 0 : 0x80);
        return bytes;
    }

    /// <summary>The sum of two points, by the formula that holds for all of them.</summary>
    public static EdwardsPoint operator +(EdwardsPoint a, EdwardsPoint b)
    {
        var product = D * a.X * b.X * a.Y * b.Y % P;
        return new EdwardsPoint(
            Mod(((a.X * b.Y) + (a.Y * b.X)) * Inverse(Mod(1 + product))),
            Mod(((a.Y * b.Y) + (a.X * b.X)) * Inverse(Mod(1 - product))));
    }

    /// <summary>A multiple of a point.</summary>
    public static EdwardsPoint operator *(BigInteger scalar, EdwardsPoint point)
    {
        var sum = new EdwardsPoint(0, 1);
        for (; scalar > 0; scalar >>= 1, point += point)
            if (!scalar.IsEven)
                sum += point;
        return sum;
    }

    private static BigInteger Mod(BigInteger value) => ((value % P) + P) % P;

    private static BigInteger Inverse(BigInteger value) => BigInteger.ModPow(value, P - 2, P);
}
