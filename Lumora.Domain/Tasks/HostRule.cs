namespace Lumora.Domain.Tasks;

/// <summary>
/// Which hosts a collection may touch. <c>example.org</c> is that host on any port, <c>example.org:8443</c> that port
/// only, <c>*.example.org</c> every host below it (not itself). Names are compared in lower case and in their ASCII form.
/// </summary>
public static class HostRule
{
    /// <summary>True when <paramref name="rule"/> is well formed.</summary>
    public static bool IsValid(string rule)
    {
        var (host, port) = Split(rule);
        if (port is < 1 or > 65535 || host.Length is 0 or > 255)
            return false;
        var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        return Uri.CheckHostName(name) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6;
    }

    /// <summary>True when <paramref name="url"/> is http or https and one of <paramref name="rules"/> admits its host.</summary>
    public static bool Admits(IReadOnlyList<string> rules, Uri url) =>
        IsWeb(url) && rules.Any(rule => Matches(rule, url));

    /// <summary>True for an absolute http or https address without user name or password.</summary>
    public static bool IsWeb(Uri url) =>
        url.IsAbsoluteUri
        && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
        && url.UserInfo.Length == 0
        && url.Host.Length > 0;

    private static bool Matches(string rule, Uri url)
    {
        var (host, port) = Split(rule);
        if (port is not null && port != url.Port)
            return false;
        var target = url.IdnHost.ToLowerInvariant();
        return host.StartsWith("*.", StringComparison.Ordinal)
            ? target.Length > host.Length - 1 && target.EndsWith(host[1..], StringComparison.Ordinal)
            : target == host;
    }

    /// <summary>Host in lower case without brackets, and the port: null when absent, 0 when it is no number.</summary>
    private static (string Host, int? Port) Split(string rule)
    {
        var text = rule.ToLowerInvariant();
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']');
            if (end < 0)
                return ("", null);
            return (text[1..end], end + 1 == text.Length ? null : Port(text[(end + 1)..]));
        }

        var colon = text.IndexOf(':');
        // More than one colon is an IPv6 address without brackets.
        return colon < 0 || text.LastIndexOf(':') != colon ? (text, null) : (text[..colon], Port(text[colon..]));
    }

    private static int Port(string text) =>
        text.StartsWith(':') && int.TryParse(
            text.AsSpan(1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var port)
            ? port
            : 0;
}
