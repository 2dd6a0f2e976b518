using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Lumora.Chain.Cryptography;
using SimpleBase;

namespace Lumora.Chain.Solana;

/// <summary>A Solana address: 32 bytes, an Ed25519 key or a program-derived address. Written in base58.</summary>
public readonly struct PublicKey : IEquatable<PublicKey>
{
    /// <summary>Bytes of an address.</summary>
    public const int Length = 32;

    private const int SeedLengthMax = 32;
    private const int SeedsMax = 16;
    private static readonly BigInteger FieldPrime = (BigInteger.One << 255) - 19;
    private static readonly BigInteger CurveD = BigInteger.Parse(
        "37095705934669439343138083508754565189542113879843219016388785533085940283555",
        System.Globalization.CultureInfo.InvariantCulture);

    private readonly string? _text;

    /// <summary>From 32 bytes.</summary>
    public PublicKey(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
            throw new ArgumentException($"An address has {Length} bytes, not {bytes.Length}.", nameof(bytes));
        _text = Base58.Bitcoin.Encode(bytes);
    }

    /// <summary>From base58; throws <see cref="FormatException"/> when it is no address.</summary>
    public PublicKey(string text) => _text = TryParse(text, out var key)
        ? key._text
        : throw new FormatException($"'{text}' is no Solana address (base58 of {Length} bytes).");

    /// <summary>The base58 form.</summary>
    public string Key => _text ?? "11111111111111111111111111111111";

    /// <summary>The 32 bytes.</summary>
    public byte[] KeyBytes => Base58.Bitcoin.Decode(Key);

    /// <summary>Reads base58; false when it is no address.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PublicKey key)
    {
        key = default;
        if (text is null || text.Length is < 32 or > 44)
            return false;
        Span<byte> bytes = stackalloc byte[48];
        if (!Base58Text.TryDecode(text, bytes, out var written) || written != Length)
            return false;
        key = new PublicKey(bytes[..Length]);
        return string.Equals(key._text, text, StringComparison.Ordinal);
    }

    /// <summary>
    /// True when the bytes are a point of Ed25519, so that a private key may exist. Program-derived addresses are not
    /// (x² = (y² − 1) / (d·y² + 1) has no solution).
    /// </summary>
    public bool IsOnCurve()
    {
        var bytes = KeyBytes;
        bytes[31] &= 0x7f;
        var y = new BigInteger(bytes, isUnsigned: true) % FieldPrime;
        var ySquared = y * y % FieldPrime;
        var numerator = (ySquared - 1 + FieldPrime) % FieldPrime;
        var denominator = ((CurveD * ySquared) + 1) % FieldPrime;
        var xSquared = numerator * BigInteger.ModPow(denominator, FieldPrime - 2, FieldPrime) % FieldPrime;
        return xSquared.IsZero || BigInteger.ModPow(xSquared, (FieldPrime - 1) / 2, FieldPrime).IsOne;
    }

    /// <summary>The program-derived address of the seeds and its bump: the first from 255 down that is off the curve.</summary>
    public static (PublicKey Address, byte Bump) FindProgramAddress(PublicKey program, params IReadOnlyList<byte[]> seeds)
    {
        for (var bump = 255; bump >= 0; bump--)
        {
            if (TryCreateProgramAddress(program, [.. seeds, [(byte)bump]], out var address))
                return (address, (byte)bump);
        }

        throw new InvalidOperationException("No bump gives an address off the curve.");
    }

    /// <summary>SHA-256(seeds ‖ program ‖ "ProgramDerivedAddress"), unless that lies on the curve.</summary>
    public static bool TryCreateProgramAddress(PublicKey program, IReadOnlyList<byte[]> seeds, out PublicKey address)
    {
        if (seeds.Count > SeedsMax || seeds.Any(seed => seed.Length > SeedLengthMax))
            throw new ArgumentException($"At most {SeedsMax} seeds of {SeedLengthMax} bytes.", nameof(seeds));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var seed in seeds)
            hash.AppendData(seed);
        hash.AppendData(program.KeyBytes);
        hash.AppendData(Encoding.ASCII.GetBytes("ProgramDerivedAddress"));
        address = new PublicKey(hash.GetHashAndReset());
        return !address.IsOnCurve();
    }

    /// <inheritdoc/>
    public bool Equals(PublicKey other) => string.Equals(Key, other.Key, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PublicKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Key.GetHashCode(StringComparison.Ordinal);

    /// <summary>The base58 form.</summary>
    public override string ToString() => Key;

    /// <summary>Equal bytes.</summary>
    public static bool operator ==(PublicKey left, PublicKey right) => left.Equals(right);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(PublicKey left, PublicKey right) => !left.Equals(right);
}
