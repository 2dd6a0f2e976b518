using System.Globalization;
using System.Text;

namespace Lumora.Domain.Tasks;

/// <summary>
/// A site's robots.txt (RFC 9309): parsed once, asked for every address. Pure; who fetches it decides what an
/// unreachable file means (<see cref="AllowAll"/> for 4xx, <see cref="DisallowAll"/> for 5xx and no answer).
/// </summary>
public sealed class RobotsTxt
{
    /// <summary>Bytes that are read; the rest is ignored (RFC 9309 §2.5 asks for at least 500 KiB).</summary>
    public const int BytesMax = 512 * 1024;

    /// <summary>Longest crawl delay that is obeyed literally, in seconds; a longer one counts as this.</summary>
    public const int CrawlDelaySecondsMax = 300;

    private readonly IReadOnlyList<Group> _groups;

    private RobotsTxt(IReadOnlyList<Group> groups, IReadOnlyList<string> sitemaps)
    {
        _groups = groups;
        Sitemaps = sitemaps;
    }

    /// <summary>Everything is allowed: there is no file (§2.3.1.3).</summary>
    public static RobotsTxt AllowAll { get; } = Parse("");

    /// <summary>Nothing is allowed: the file cannot be reached (§2.3.1.4).</summary>
    public static RobotsTxt DisallowAll { get; } = Parse("User-agent: *\nDisallow: /");

    /// <summary>Addresses of <c>Sitemap</c> lines, as written, in order.</summary>
    public IReadOnlyList<string> Sitemaps { get; }

    /// <summary>Reads a file's bytes, at most <see cref="BytesMax"/> of them, as UTF-8.</summary>
    public static RobotsTxt Parse(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, BytesMax)]);
        return Parse(text.TrimStart('\uFEFF'));
    }

    /// <summary>Reads a file's text. Lines that are no rules are ignored: a broken file still binds as far as it can be read.</summary>
    public static RobotsTxt Parse(string text)
    {
        var groups = new List<Group>();
        var sitemaps = new List<string>();
        Group? group = null;
        var namingAgents = false;
        foreach (var line in text.Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (SplitLine(line) is not var (key, value))
                continue;
            switch (key)
            {
                case "user-agent":
                    if (!namingAgents)
                        groups.Add(group = new Group([], [], null));
                    namingAgents = true;
                    group!.Agents.Add(ProductToken(value));
                    break;
                case "allow" or "disallow":
                    namingAgents = false;
                    // An empty value matches nothing; rules before any group belong to nobody.
                    if (value.Length > 0)
                        group?.Rules.Add(new Rule(RobotsPath.Normalize(value), key == "allow"));
                    break;
                case "crawl-delay":
                    // Like a sitemap it is no record of the RFC, so it does not end a run of user-agent lines (§2.2.4).
                    if (group is not null)
                        group.CrawlDelay ??= ReadDelay(value);
                    break;
                case "sitemap":
                    sitemaps.Add(value);
                    break;
            }
        }

        return new RobotsTxt(groups, sitemaps);
    }

    /// <summary>
    /// True when <paramref name="agent"/> may fetch <paramref name="url"/>: the most specific rule by octets wins, and
    /// an allow wins over an equal disallow (§2.2.2). robots.txt itself is always allowed.
    /// </summary>
    /// <param name="agent">Product token, for example <c>LumoraNode</c>.</param>
    /// <param name="url">The address; scheme and host are not looked at.</param>
    public bool IsAllowed(string agent, Uri url)
    {
        var path = RobotsPath.Normalize(url.PathAndQuery);
        if (path == "/robots.txt")
            return true;
        Rule? best = null;
        foreach (var rule in GroupsFor(agent).SelectMany(group => group.Rules))
        {
            if (!RobotsPath.Matches(rule.Pattern, path))
                continue;
            var longer = best is null || rule.Pattern.Length > best.Pattern.Length;
            if (longer || (rule.Pattern.Length == best!.Pattern.Length && rule.Allow))
                best = rule;
        }

        return best?.Allow ?? true;
    }

    /// <summary>The pause that the site asks <paramref name="agent"/> for between two requests; null when it does not.</summary>
    /// <remarks>Not in RFC 9309, but in wide use; the longest one of the agent's groups counts.</remarks>
    public TimeSpan? CrawlDelay(string agent) => GroupsFor(agent).Max(group => group.CrawlDelay);

    /// <summary>Groups that name the agent, all of them together (§2.2.1); without any, the groups of <c>*</c>.</summary>
    private IEnumerable<Group> GroupsFor(string agent)
    {
        var token = ProductToken(agent);
        var named = _groups.Where(group => group.Agents.Contains(token, StringComparer.OrdinalIgnoreCase)).ToList();
        return named.Count > 0 && token != "*" ? named : _groups.Where(group => group.Agents.Contains("*", StringComparer.Ordinal));
    }

    private static (string Key, string Value)? SplitLine(string line)
    {
        var comment = line.IndexOf('#', StringComparison.Ordinal);
        var content = (comment < 0 ? line : line[..comment]).Trim();
        var colon = content.IndexOf(':', StringComparison.Ordinal);
        return colon <= 0 ? null : (content[..colon].TrimEnd().ToLowerInvariant(), content[(colon + 1)..].TrimStart());
    }

    /// <summary>The leading letters, <c>-</c> and <c>_</c> (§2.2.1): <c>FooBot/1.2</c> names <c>FooBot</c>.</summary>
    private static string ProductToken(string value)
    {
        if (value.StartsWith('*') && (value.Length == 1 || char.IsWhiteSpace(value[1])))
            return "*";
        var length = 0;
        while (length < value.Length && (char.IsAsciiLetter(value[length]) || value[length] is '-' or '_'))
            length++;
        return value[..length];
    }

    private static TimeSpan? ReadDelay(string value) =>
        decimal.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromMilliseconds((long)(Math.Min(seconds, CrawlDelaySecondsMax) * 1000))
            : null;

    private sealed record Rule(string Pattern, bool Allow);

    private sealed record Group(List<string> Agents, List<Rule> Rules, TimeSpan? CrawlDelay)
    {
        public TimeSpan? CrawlDelay { get; set; } = CrawlDelay;
    }
}

/// <summary>Paths and patterns of robots.txt in one octet form, so that they can be compared (RFC 9309 §2.2.2).</summary>
internal static class RobotsPath
{
    /// <summary>
    /// Percent-encodes what is outside of ASCII, decodes what need not be encoded, writes the rest's digits in upper
    /// case. Reserved characters stay as they are: <c>/</c> and <c>%2F</c> differ.
    /// </summary>
    internal static string Normalize(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var result = new StringBuilder(bytes.Length);
        for (var i = 0; i < bytes.Length; i++)
        {
            var octet = bytes[i];
            var encoded = octet == '%' && i + 2 < bytes.Length
                && char.IsAsciiHexDigit((char)bytes[i + 1]) && char.IsAsciiHexDigit((char)bytes[i + 2]);
            if (encoded)
            {
                octet = Convert.FromHexString([(char)bytes[i + 1], (char)bytes[i + 2]])[0];
                i += 2;
            }

            var c = (char)octet;
            if (encoded ? IsUnreserved(c) : octet is > 0x20 and < 0x7F)
                result.Append(c);
            else
                result.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
        }

        return result.ToString();
    }

    /// <summary>
    /// True when <paramref name="pattern"/> matches a prefix of <paramref name="path"/>: <c>*</c> is any run of
    /// characters, <c>$</c> at the end is the end. Linear in pattern × path, with no backtracking to blow up.
    /// </summary>
    internal static bool Matches(string pattern, string path)
    {
        var anchored = pattern.EndsWith('$');
        var body = anchored ? pattern.AsSpan(0, pattern.Length - 1) : pattern;
        int at = 0, p = 0, star = -1, starAt = 0;
        while (p < body.Length || (anchored && at < path.Length))
        {
            if (p < body.Length && body[p] == '*')
                (star, starAt, p) = (p, at, p + 1);
            else if (p < body.Length && at < path.Length && body[p] == path[at])
                (p, at) = (p + 1, at + 1);
            else if (star >= 0 && starAt < path.Length)
                (p, starAt, at) = (star + 1, starAt + 1, starAt + 1);
            else
                return false;
        }

        return true;
    }

    private static bool IsUnreserved(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~';
}
