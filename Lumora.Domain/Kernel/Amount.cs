using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lumora.Domain.Kernel;

/// <summary>
/// A count of an asset's base units: 0 to 2⁶³−1, exact, with checked arithmetic. One LMR is 10⁹ base units.
/// In JSON and GraphQL it is text ("1500000000"), because JSON numbers lose precision beyond 2⁵³.
/// </summary>
[JsonConverter(typeof(AmountJsonConverter))]
public readonly record struct Amount : IComparable<Amount>
{
    /// <summary>Decimals of LMR.</summary>
    public const int LmrDecimals = 9;

    /// <summary>Base units in one LMR.</summary>
    public const long UnitsPerLmr = 1_000_000_000;

    /// <summary>Makes an amount of <paramref name="units"/> base units.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="units"/> is negative.</exception>
    public Amount(long units)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(units);
        Units = units;
    }

    /// <summary>Base units, never negative.</summary>
    public long Units { get; }

    /// <summary>No units.</summary>
    public static Amount Zero => default;

    /// <summary>The amount of <paramref name="lmr"/> whole LMR.</summary>
    public static Amount FromLmr(long lmr) => new(checked(lmr * UnitsPerLmr));

    /// <summary>The sum; throws <see cref="OverflowException"/> beyond 2⁶³−1.</summary>
    public static Amount operator +(Amount a, Amount b) => new(checked(a.Units + b.Units));

    /// <summary>The difference; throws when it would be negative.</summary>
    public static Amount operator -(Amount a, Amount b) => new(checked(a.Units - b.Units));

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <(Amount a, Amount b) => a.Units < b.Units;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >(Amount a, Amount b) => a.Units > b.Units;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator <=(Amount a, Amount b) => a.Units <= b.Units;

    /// <inheritdoc cref="CompareTo"/>
    public static bool operator >=(Amount a, Amount b) => a.Units >= b.Units;

    /// <inheritdoc/>
    public int CompareTo(Amount other) => Units.CompareTo(other.Units);

    /// <summary>The base units in decimal: the wire form.</summary>
    public override string ToString() => Units.ToString(CultureInfo.InvariantCulture);

    /// <summary>For people: "1.5 LMR", without trailing zeros.</summary>
    public string Format(string asset = "LMR")
    {
        var fraction = (Units % UnitsPerLmr).ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0');
        var whole = (Units / UnitsPerLmr).ToString(CultureInfo.InvariantCulture);
        return fraction.Length == 0 ? $"{whole} {asset}" : $"{whole}.{fraction} {asset}";
    }

    /// <summary>
    /// Reads the wire form. Only the canonical spelling is taken: no sign, no spaces, no leading zeros.
    /// </summary>
    public static bool TryParse(string? text, out Amount amount)
    {
        amount = default;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var units))
            return false;
        amount = new Amount(units);
        return amount.ToString() == text;
    }
}

internal sealed class AmountJsonConverter : JsonConverter<Amount>
{
    public override Amount Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Amount.TryParse(reader.GetString(), out var amount)
            ? amount
            : throw new JsonException("An amount is a string of base units, for example \"1500000000\".");

    public override void Write(Utf8JsonWriter writer, Amount value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
