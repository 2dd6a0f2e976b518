using System.Text.RegularExpressions;

namespace Lumora.Domain.Tasks;

/// <summary>Kinds of personal data that are redacted, as they are named in counts and in the text that replaces them.</summary>
public static class RedactionKinds
{
    /// <summary>E-mail addresses.</summary>
    public const string Email = "email";

    /// <summary>Telephone numbers.</summary>
    public const string Phone = "phone";

    /// <summary>National identity, social security and tax numbers, and bank accounts (IBAN).</summary>
    public const string NationalId = "national_id";

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<string> All { get; } = [Email, Phone, NationalId];
}

/// <summary>
/// Replaces personal data in text by <c>[email]</c>, <c>[phone]</c>, <c>[national_id]</c> and counts what it replaced.
/// It favours precision for numbers (check digits and separators are asked for), since a dataset of prices must not
/// lose its prices; it is a net, not a proof that no personal data is left.
/// </summary>
public static partial class Redactor
{
    private const int MatchTimeoutMs = 1000;

    /// <summary><paramref name="text"/> with personal data replaced; <paramref name="counts"/> is raised by kind.</summary>
    public static string Redact(string text, IDictionary<string, int> counts)
    {
        text = Email().Replace(text, _ => Count(RedactionKinds.Email, counts));
        text = Iban().Replace(text, match => IsIban(match.Value) ? Count(RedactionKinds.NationalId, counts) : match.Value);
        text = SocialSecurity().Replace(text, _ => Count(RedactionKinds.NationalId, counts));
        text = NationalInsurance().Replace(text, _ => Count(RedactionKinds.NationalId, counts));
        text = BrazilianCpf().Replace(text, match => IsCpf(match.Value) ? Count(RedactionKinds.NationalId, counts) : match.Value);
        text = InternationalPhone().Replace(text, match => IsPhone(match.Value) ? Count(RedactionKinds.Phone, counts) : match.Value);
        return NationalPhone().Replace(text, _ => Count(RedactionKinds.Phone, counts));
    }

    private static string Count(string kind, IDictionary<string, int> counts)
    {
        counts[kind] = counts.TryGetValue(kind, out var count) ? count + 1 : 1;
        return $"[{kind}]";
    }

    /// <summary>E.164 has at most 15 digits; below 8 it is rather a number with a sign.</summary>
    private static bool IsPhone(string text) => text.Count(char.IsAsciiDigit) is >= 8 and <= 15;

    /// <summary>ISO 13616: country and check digits to the end, letters as 10..35, the number is 1 modulo 97.</summary>
    private static bool IsIban(string text)
    {
        var compact = text.Replace(" ", "", StringComparison.Ordinal);
        if (compact.Length is < 15 or > 34)
            return false;
        var remainder = 0;
        foreach (var c in compact[4..] + compact[..4])
            remainder = char.IsAsciiDigit(c) ? ((remainder * 10) + (c - '0')) % 97 : ((remainder * 100) + (c - 'A' + 10)) % 97;
        return remainder == 1;
    }

    /// <summary>Two check digits, weights falling from 10 and 11, modulo 11.</summary>
    private static bool IsCpf(string text)
    {
        var digits = text.Where(char.IsAsciiDigit).Select(c => c - '0').ToArray();
        return digits.Length == 11 && Digit(9) == digits[9] && Digit(10) == digits[10];

        int Digit(int count)
        {
            var rest = Enumerable.Range(0, count).Sum(i => digits[i] * (count + 1 - i)) * 10 % 11;
            return rest == 10 ? 0 : rest;
        }
    }

    [GeneratedRegex(@"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex Email();

    [GeneratedRegex(@"(?<!\w)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}(?!\w)", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex Iban();

    // United States: no area 000, 666 or 9xx, no group 00, no serial 0000.
    [GeneratedRegex(@"(?<![\w-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex SocialSecurity();

    // United Kingdom: two letters, six digits, A to D.
    [GeneratedRegex(@"(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D](?!\w)", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex NationalInsurance();

    [GeneratedRegex(@"(?<![\w.-])[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}(?![\w-])", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex BrazilianCpf();

    [GeneratedRegex(@"(?<![\w+])(?:\+|00)[1-9](?:[ ./()-]{0,2}[0-9]){6,14}(?![\w])", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex InternationalPhone();

    // North America's and Europe's written forms: (212) 555-0123, 212-555-0123, 030/1234567, 01 23 45 67 89.
    [GeneratedRegex(@"(?<![\w.,-])(?:\([0-9]{2,5}\)[ -]?[0-9]{3,4}[ -]?[0-9]{3,5}|[2-9][0-9]{2}[-.][2-9][0-9]{2}[-.][0-9]{4}|0[1-9][0-9]{1,3}[/-][0-9]{5,8}|0[1-9](?: [0-9]{2}){4})(?![\w-])", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex NationalPhone();
}
