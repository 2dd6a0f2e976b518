using System.Globalization;

namespace Lumora.Domain.Kernel;

/// <summary>Prints a double as ECMAScript's Number::toString does (ECMA-262 §6.1.6.1.20), which RFC 8785 asks for.</summary>
internal static class EcmaScriptNumber
{
    /// <summary>The shortest decimal digits that read back as <paramref name="value"/>, in ECMAScript's layout.</summary>
    /// <exception cref="FormatException">NaN or an infinity: JSON has no such number.</exception>
    public static string Format(double value)
    {
        if (!double.IsFinite(value))
            throw new FormatException("A number beyond the range of a double has no canonical form.");
        if (value == 0)
            return "0";
        var (digits, point) = Digits(Math.Abs(value));
        var text = Layout(digits, point);
        return value < 0 ? "-" + text : text;
    }

    /// <summary>The names of ECMA-262: k digits, and n (<paramref name="point"/>): the value is 0.digits × 10ⁿ.</summary>
    private static string Layout(string digits, int point)
    {
        var k = digits.Length;
        if (k <= point && point <= 21)
            return digits + new string('0', point - k);
        if (point is > 0 and <= 21)
            return $"{digits[..point]}.{digits[point..]}";
        if (point is > -6 and <= 0)
            return "0." + new string('0', -point) + digits;
        var exponent = point - 1;
        var sign = exponent < 0 ? '-' : '+';
        var mantissa = k == 1 ? digits : $"{digits[..1]}.{digits[1..]}";
        return string.Create(CultureInfo.InvariantCulture, $"{mantissa}e{sign}{Math.Abs(exponent)}");
    }

    /// <summary>Takes .NET's shortest round-trip text apart; only its layout differs from ECMAScript's.</summary>
    private static (string Digits, int Point) Digits(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var exponent = 0;
        var e = text.IndexOf('E', StringComparison.Ordinal);
        if (e >= 0)
        {
            exponent = int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            text = text[..e];
        }

        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var point = (dot < 0 ? text.Length : dot) + exponent;
        var digits = dot < 0 ? text : text.Remove(dot, 1);
        var significant = digits.TrimStart('0');
        point -= digits.Length - significant.Length;
        return (significant.TrimEnd('0'), point);
    }
}
