namespace Lumora.Chain.Tests.Verification;

/// <summary>
/// The encodings of Ed25519 points whose order divides 8, canonical or not. As a public key such a point lets anybody sign
/// anything, so no verifier may take it.
/// </summary>
internal static class SmallOrder
{
    /// <summary>Name and 32 bytes.</summary>
    public static readonly (string Name, byte[] Point)[] Keys =
    [
        ("of order 1", Hex("0100000000000000000000000000000000000000000000000000000000000000")),
        ("of order 2", Hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")),
        ("of order 4", Hex("0000000000000000000000000000000000000000000000000000000000000000")),
        ("of order 4 with its sign", Hex("0000000000000000000000000000000000000000000000000000000000000080")),
        ("of order 8", Hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")),
        ("of order 8 with its sign", Hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85")),
        ("of order 8, the other", Hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")),
        ("of order 8, the other with its sign", Hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa")),
        ("of order 1 with a sign that is none", Hex("0100000000000000000000000000000000000000000000000000000000000080")),
        ("of order 2 with a sign that is none", Hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")),
        ("of order 4, written p", Hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")),
        ("of order 1, written p + 1", Hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")),
    ];

    private static byte[] Hex(string text) => Convert.FromHexString(text);
}
