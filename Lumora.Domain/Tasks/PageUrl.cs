using System.Diagnostics.CodeAnalysis;

namespace Lumora.Domain.Tasks;

/// <summary>A page's address in the one spelling that tasks, results and contributions compare.</summary>
/// <param name="Url">Absolute http(s) URL without fragment and user information.</param>
/// <param name="Host">Lower-case host, with port where it is not the scheme's default.</param>
public sealed record PageUrl(string Url, string Host)
{
    /// <summary>Reads and normalises <paramref name="text"/>; false when it is no http(s) page.</summary>
    public static bool TryNormalize(string text, [NotNullWhen(true)] out PageUrl? page)
    {
        page = null;
        if (text.Length > 2_048 || !Uri.TryCreate(text, UriKind.Absolute, out var uri))
            return false;
        if (uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0 || uri.IdnHost.Length == 0)
            return false;
        var host = HostOf(uri);
        page = new PageUrl($"{uri.Scheme}://{host}{uri.PathAndQuery}", host);
        return true;
    }

    private static string HostOf(Uri uri)
    {
        var name = uri.HostNameType == UriHostNameType.IPv6 ? $"[{uri.IdnHost.Trim('[', ']')}]" : uri.IdnHost;
        var lower = name.ToLowerInvariant();
        return uri.IsDefaultPort ? lower : FormattableString.Invariant($"{lower}:{uri.Port}");
    }
}
