using System.Globalization;
using GraphQL.Types;
using GraphQLParser.AST;
using Lumora.Domain.Kernel;

namespace Lumora.Api.GraphQL;

/// <summary>
/// A scalar whose wire form is a string and whose input is refused unless it is a string, both as a literal and in
/// variables: a number beyond 2⁵³ has lost digits in a JavaScript client before it arrives here.
/// </summary>
internal abstract class TextScalar<T> : ScalarGraphType
    where T : struct
{
    public sealed override object? ParseLiteral(GraphQLValue value) => value switch
    {
        GraphQLStringValue text => ParseText((string)text.Value),
        GraphQLNullValue => null,
        _ => ThrowLiteralConversionError(value, "a string is expected"),
    };

    public sealed override object? ParseValue(object? value) => value switch
    {
        T typed => typed,
        string text => ParseText(text),
        null => null,
        _ => ThrowValueConversionError(value),
    };

    public sealed override object? Serialize(object? value) => value switch
    {
        T typed => Write(typed),
        null => null,
        _ => ThrowSerializationError(value),
    };

    protected abstract bool TryParse(string text, out T value);

    protected abstract string Write(T value);

    private object? ParseText(string text) => TryParse(text, out var value) ? value : ThrowValueConversionError(text);
}

internal sealed class AmountScalar : TextScalar<Amount>
{
    public AmountScalar()
    {
        Name = "Amount";
        Description =
            "A count of an asset's base units, 0 to 9223372036854775807, as a string in canonical decimal form: no sign, " +
            "no spaces, no leading zeros. One LMR is 1000000000 base units.";
    }

    protected override bool TryParse(string text, out Amount value) => Amount.TryParse(text, out value);

    protected override string Write(Amount value) => value.ToString();
}

internal sealed class Int64Scalar : TextScalar<long>
{
    public Int64Scalar()
    {
        Name = "Int64";
        Description =
            "A 64-bit signed integer as a string in canonical decimal form: a minus sign where it is negative, no plus " +
            "sign, no spaces, no leading zeros.";
    }

    protected override bool TryParse(string text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)
        && Write(value) == text;

    protected override string Write(long value) => value.ToString(CultureInfo.InvariantCulture);
}

internal sealed class DateTimeScalar : TextScalar<DateTimeOffset>
{
    // RFC 3339, section 5.6: the offset is mandatory; more than 6 decimals are truncated (Moment).
    private static readonly string[] s_formats =
        [.. Enumerable.Range(0, 8).Select(n => "yyyy-MM-dd'T'HH:mm:ss" + (n == 0 ? "" : "." + new string('f', n)) + "zzz")];

    public DateTimeScalar()
    {
        Name = "DateTime";
        Description =
            "A moment as RFC 3339 text. Answers are in UTC with 6 decimals, for example 2026-01-31T23:59:59.123456Z; " +
            "input may use any offset and is truncated to microseconds.";
    }

    /// <summary>Reads such a text outside GraphQL, too: one spelling of times for the whole API.</summary>
    public static bool TryRead(string text, out DateTimeOffset value)
    {
        var withOffset = text.EndsWith('Z') ? text[..^1] + "+00:00" : text;
        var parsed = DateTimeOffset.TryParseExact(
            withOffset, s_formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out value);
        value = parsed ? Moment.Truncate(value) : default;
        return parsed;
    }

    protected override bool TryParse(string text, out DateTimeOffset value) => TryRead(text, out value);

    protected override string Write(DateTimeOffset value) => value.ToWire();
}
