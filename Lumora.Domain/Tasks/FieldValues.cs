using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tasks;

/// <summary>
/// From a page's text to a field's one JSON form, and back: the node reads with <see cref="Read"/>, the curator
/// accepts with <see cref="IsValid"/>. What cannot be read is null, never a guess.
/// </summary>
public static class FieldValues
{
    /// <summary>Characters of one value; a longer text is cut, at a whole character.</summary>
    public const int LengthMax = 100_000;

    private static readonly string[] DateForms =
    [
        "yyyy-MM-dd", "yyyy/MM/dd", "yyyy.MM.dd", "d.M.yyyy", "d MMMM yyyy", "d MMM yyyy", "MMMM d, yyyy", "MMM d, yyyy",
    ];

    private static readonly string[] TrueWords = ["true", "yes", "1", "on"];
    private static readonly string[] FalseWords = ["false", "no", "0", "off"];

    /// <summary>The JSON value of <paramref name="raw"/> as <paramref name="type"/>; null when it is empty or cannot be read so.</summary>
    /// <param name="type">The field's type.</param>
    /// <param name="raw">Text or attribute as the page has it.</param>
    /// <param name="page">Base of relative addresses.</param>
    public static JsonValue? Read(FieldType type, string raw, Uri page)
    {
        var text = type == FieldType.Html ? raw.Trim() : CollapseWhiteSpace(raw);
        if (text.Length == 0)
            return null;
        return type switch
        {
            FieldType.Text or FieldType.Html => JsonValue.Create(Cut(WellFormed(text))),
            FieldType.Number => ReadNumber(text) is { } number ? JsonValue.Create(number) : null,
            FieldType.Integer => ReadInteger(text) is { } integer ? JsonValue.Create(integer) : null,
            FieldType.Boolean => ReadBoolean(text) is { } flag ? JsonValue.Create(flag) : null,
            FieldType.Url => ReadUrl(text, page) is { } url ? JsonValue.Create(url) : null,
            FieldType.Date => ReadDate(text) is { } date ? JsonValue.Create(date) : null,
            _ => throw new InvariantViolationException($"field type {type} is known"),
        };
    }

    /// <summary>True when <paramref name="value"/> is a value that <see cref="Read"/> could have made.</summary>
    public static bool IsValid(FieldType type, JsonElement value)
    {
        if (type == FieldType.Boolean)
            return value.ValueKind is JsonValueKind.True or JsonValueKind.False;
        if (value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 and <= LengthMax } text)
            return false;
        return type switch
        {
            FieldType.Text or FieldType.Html => true,
            FieldType.Number => ReadNumber(text) == text,
            FieldType.Integer => ReadInteger(text) == text,
            FieldType.Url => Uri.TryCreate(text, UriKind.Absolute, out var url) && HostRule.IsWeb(url),
            FieldType.Date => ReadDate(text) == text,
            _ => false,
        };
    }

    private static string? ReadNumber(string text) =>
        decimal.TryParse(
            text,
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowThousands,
            CultureInfo.InvariantCulture, out var number)
            // Division by a one with the full scale drops trailing zeros: one value has one form.
            ? (number / 1.0000000000000000000000000000m).ToString(CultureInfo.InvariantCulture)
            : null;

    private static string? ReadInteger(string text) =>
        long.TryParse(
            text, NumberStyles.AllowLeadingSign | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var number)
            ? number.ToString(CultureInfo.InvariantCulture)
            : null;

    private static bool? ReadBoolean(string text)
    {
        if (TrueWords.Contains(text, StringComparer.OrdinalIgnoreCase))
            return true;
        return FalseWords.Contains(text, StringComparer.OrdinalIgnoreCase) ? false : null;
    }

    private static string? ReadUrl(string text, Uri page) =>
        Uri.TryCreate(page, text, out var url) && HostRule.IsWeb(url) && url.AbsoluteUri.Length <= LengthMax
            ? url.AbsoluteUri
            : null;

    /// <summary>Dates stay dates; times become UTC. A time without an offset is taken as UTC. d/m/y and m/d/y are not guessed.</summary>
    private static string? ReadDate(string text)
    {
        if (DateOnly.TryParseExact(text, DateForms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            return date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var isoTime = text.Length > 10 && text[4] == '-' && text[10] is 'T' or ' ';
        return (isoTime || text.EndsWith("GMT", StringComparison.Ordinal))
            && DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time.ToWire()
            : null;
    }

    /// <summary>Runs of white space (HTML's and Unicode's) as one space, none at the ends.</summary>
    private static string CollapseWhiteSpace(string text)
    {
        var result = new StringBuilder(Math.Min(text.Length, 1024));
        var gap = false;
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c))
            {
                gap = result.Length > 0;
                continue;
            }

            if (gap)
                result.Append(' ');
            gap = false;
            result.Append(c);
        }

        return result.ToString();
    }

    /// <summary>Lone surrogates become U+FFFD: canonical JSON is UTF-8.</summary>
    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static string Cut(string text)
    {
        if (text.Length <= LengthMax)
            return text;
        return char.IsHighSurrogate(text[LengthMax - 1]) ? text[..(LengthMax - 1)] : text[..LengthMax];
    }
}
