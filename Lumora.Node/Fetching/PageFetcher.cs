using System.Net;
using Lumora.Domain.Tasks;
using Lumora.Node.Limits;

namespace Lumora.Node.Fetching;

/// <summary>What came back for one address.</summary>
/// <param name="Outcome">Fetched when there is a body.</param>
/// <param name="FinalUrl">After redirects.</param>
/// <param name="Status">Of the last answer, 0 without one.</param>
/// <param name="Body">After content decoding; null unless fetched.</param>
/// <param name="Charset">From the Content-Type header.</param>
internal sealed record FetchedPage(PageOutcome Outcome, Uri FinalUrl, int Status, byte[]? Body = null, string? Charset = null);

/// <summary>
/// Fetches one page of a lease. Each hop of a redirect is a new address: scheme, host rules, robots.txt, pace and the
/// connection's own check apply to it as to the first.
/// </summary>
internal sealed class PageFetcher(
    HttpClient http, RobotsCache robots, HostPacer pacer, ByteBudget budget, NodeOptions options, TimeProvider clock)
{
    private const int RedirectsMax = 5;
    private const int ReadBytes = 32 * 1024;

    /// <summary>Fetches <paramref name="address"/>; faults of the site are outcomes, only a stop is an exception.</summary>
    internal async Task<FetchedPage> FetchAsync(Lease lease, string address, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || !HostRule.IsWeb(url))
            return new FetchedPage(PageOutcome.BadUrl, url ?? new Uri("about:blank"), 0);
        var trail = new Trail(url);
        try
        {
            return await FollowAsync(lease, trail, cancellationToken);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return trail.End(PageOutcome.TimedOut);
        }
        catch (HttpRequestException fault)
        {
            return trail.End(fault.InnerException switch
            {
                AddressNotPublicException => PageOutcome.AddressNotPublic,
                OperationCanceledException or TimeoutException => PageOutcome.TimedOut,
                _ => PageOutcome.NetworkError,
            });
        }
        catch (IOException)
        {
            return trail.End(PageOutcome.NetworkError);
        }
        catch (InvalidDataException)
        {
            // A body that is not in the encoding that its header names.
            return trail.End(PageOutcome.NetworkError);
        }
    }

    private async Task<FetchedPage> FollowAsync(Lease lease, Trail trail, CancellationToken cancellationToken)
    {
        for (var hop = 0; hop <= RedirectsMax; hop++)
        {
            if (!HostRule.Admits(lease.AllowedHosts, trail.Url))
                return trail.End(HostRule.IsWeb(trail.Url) ? PageOutcome.HostNotAllowed : PageOutcome.BadUrl);

            // The wait for the host's turn is ours, so it is not counted against the site.
            using var timeout = new CancellationTokenSource(options.PageTimeout, clock);
            using (var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken))
            {
                var site = await robots.ForAsync(trail.Url, both.Token);
                if (!site.Reachable)
                    return trail.End(PageOutcome.RobotsUnreachable);
                if (!site.Rules.IsAllowed(NodeOptions.ProductToken, trail.Url))
                    return trail.End(PageOutcome.RobotsForbidden);
                var pause = site.Rules.CrawlDelay(NodeOptions.ProductToken) ?? TimeSpan.Zero;
                await pacer.WaitAsync(trail.Url, pause > options.HostDelay ? pause : options.HostDelay, cancellationToken);
            }

            if (await RequestAsync(lease, trail, cancellationToken) is { } page)
                return page;
        }

        return trail.End(PageOutcome.TooManyRedirects);
    }

    /// <summary>One request; null when it redirected and the trail goes on.</summary>
    private async Task<FetchedPage?> RequestAsync(Lease lease, Trail trail, CancellationToken stop)
    {
        // The owner's own rate limit may make a page slow; that is not the site's fault.
        var slack = TimeSpan.FromSeconds(options.BytesPerSecondMax is { } rate ? (double)lease.PageBytesMax / rate : 0);
        using var timeout = new CancellationTokenSource(options.PageTimeout + slack, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        using var request = new HttpRequestMessage(HttpMethod.Get, trail.Url);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
        trail.Status = (int)response.StatusCode;
        if (RedirectOf(response, trail.Url) is { } target)
        {
            trail.Url = target;
            return null;
        }

        if (!response.IsSuccessStatusCode)
            return trail.End(PageOutcome.HttpError);
        var type = response.Content.Headers.ContentType;
        if (type?.MediaType is not (null or "text/html" or "application/xhtml+xml"))
            return trail.End(PageOutcome.UnsupportedType);
        var body = await ReadAsync(response, lease.PageBytesMax, both.Token);
        return body is null
            ? trail.End(PageOutcome.TooLarge)
            : new FetchedPage(PageOutcome.Fetched, trail.Url, trail.Status, body, type?.CharSet?.Trim('"', '\''));
    }

    /// <summary>The body, or null when it is longer than <paramref name="bytesMax"/> or than what the owner's cap leaves.</summary>
    private async Task<byte[]?> ReadAsync(HttpResponseMessage response, int bytesMax, CancellationToken cancellationToken)
    {
        var limit = (int)Math.Min(bytesMax, budget.Left);
        if (response.Content.Headers.ContentLength > limit)
            return null;
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var kept = new MemoryStream();
        var buffer = new byte[ReadBytes];
        while (await body.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            await budget.SpendAsync(read, cancellationToken);
            if (kept.Length + read > limit)
                return null;
            kept.Write(buffer, 0, read);
        }

        return kept.ToArray();
    }

    /// <summary>Where <paramref name="response"/> to <paramref name="from"/> redirects to; null when it does not.</summary>
    internal static Uri? RedirectOf(HttpResponseMessage response, Uri from)
    {
        var redirects = response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found
            or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
        return redirects && response.Headers.Location is { } location && Uri.TryCreate(from, location, out var target)
            ? target
            : null;
    }

    /// <summary>Where the fetch stands.</summary>
    private sealed class Trail(Uri url)
    {
        internal Uri Url { get; set; } = url;

        internal int Status { get; set; }

        internal FetchedPage End(PageOutcome outcome) => new(outcome, Url, Status);
    }
}
