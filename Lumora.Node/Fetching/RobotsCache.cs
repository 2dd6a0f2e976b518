using System.Net;
using Lumora.Domain.Tasks;

namespace Lumora.Node.Fetching;

/// <summary>What a site's robots.txt says, and whether it could be read at all.</summary>
/// <param name="Rules">The rules that bind.</param>
/// <param name="Reachable">False when they stand for a file that could not be reached.</param>
internal sealed record SiteRules(RobotsTxt Rules, bool Reachable);

/// <summary>
/// robots.txt by scheme, host and port (RFC 9309 §2.3): at most five redirects, 4xx allows all, 5xx, 429 and no answer
/// forbid all; kept for a day (§2.4), a failure for ten minutes.
/// </summary>
internal sealed class RobotsCache(HttpClient http, TimeProvider clock)
{
    private const int RedirectsMax = 5;
    private const int SitesMax = 1_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);
    private static readonly TimeSpan FailureLifetime = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, (SiteRules Rules, DateTimeOffset Until)> _sites = new(StringComparer.Ordinal);

    /// <summary>The rules for <paramref name="url"/>.</summary>
    /// <exception cref="AddressNotPublicException">The site's address may not be connected to.</exception>
    internal async Task<SiteRules> ForAsync(Uri url, CancellationToken cancellationToken)
    {
        var site = url.GetLeftPart(UriPartial.Authority);
        if (_sites.TryGetValue(site, out var known) && known.Until > clock.GetUtcNow())
            return known.Rules;
        if (_sites.Count >= SitesMax)
            _sites.Clear();
        var rules = await ReadAsync(new Uri(site + "/robots.txt"), cancellationToken);
        _sites[site] = (rules, clock.GetUtcNow() + (rules.Reachable ? Lifetime : FailureLifetime));
        return rules;
    }

    private async Task<SiteRules> ReadAsync(Uri address, CancellationToken cancellationToken)
    {
        try
        {
            for (var hop = 0; hop <= RedirectsMax; hop++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, address);
                using var response = await http.SendAsync(
                    request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                if (PageFetcher.RedirectOf(response, address) is { } target)
                {
                    if (!HostRule.IsWeb(target))
                        return Unavailable();
                    address = target;
                    continue;
                }

                return await ReadAsync(response, cancellationToken);
            }

            // §2.3.1.2: after five redirects the file may be taken as unavailable.
            return Unavailable();
        }
        catch (HttpRequestException fault) when (fault.InnerException is not AddressNotPublicException)
        {
            return Unreachable();
        }
        catch (IOException)
        {
            return Unreachable();
        }
    }

    private static async Task<SiteRules> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode == HttpStatusCode.TooManyRequests || (int)response.StatusCode >= 500)
            return Unreachable();
        if (!response.IsSuccessStatusCode)
            return Unavailable();
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[RobotsTxt.BytesMax];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return new SiteRules(RobotsTxt.Parse(buffer.AsSpan(0, length)), Reachable: true);
    }

    private static SiteRules Unavailable() => new(RobotsTxt.AllowAll, Reachable: true);

    private static SiteRules Unreachable() => new(RobotsTxt.DisallowAll, Reachable: false);
}
