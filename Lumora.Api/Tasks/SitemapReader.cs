using System.Net;
using System.Net.Sockets;
using System.Xml;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Tasks;

/// <summary>
/// Reads sitemaps (sitemaps.org 0.9) under the rules that nodes keep: http(s) of an allowed host, public addresses
/// only, checked after the name is resolved and again at every redirect.
/// </summary>
internal sealed class SitemapReader : IDisposable
{
    private const int SitemapBytesMax = 10 << 20;
    private const int SitemapsMax = 50;
    private const int RedirectsMax = 5;

    private readonly HttpClient _client;
    private readonly bool _allowLoopback;

    public SitemapReader(IOptions<TasksOptions> options)
    {
        _allowLoopback = options.Value.AllowLoopback;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.All,
            ConnectCallback = ConnectAsync,
        };
        _client = new HttpClient(handler)
        {
            Timeout = TimeSpan.FromSeconds(20),
            MaxResponseContentBufferSize = SitemapBytesMax,
        };
        _client.DefaultRequestHeaders.UserAgent.ParseAdd("LumoraPlanner/0.1");
    }

    /// <summary>The pages that the sitemap of <paramref name="plan"/> names, those of nested sitemaps included.</summary>
    /// <returns>Up to <see cref="CollectionPlan.PagesMax"/> URLs, or <c>sitemap_unreadable</c>.</returns>
    public async Task<Result<List<string>>> ReadAsync(CollectionPlan plan, CancellationToken ct)
    {
        var open = new Queue<string>([plan.Sitemap!]);
        var pages = new List<string>();
        try
        {
            for (var read = 0; open.Count > 0 && read < SitemapsMax && pages.Count < plan.PagesMax; read++)
                Collect(await GetAsync(plan, open.Dequeue(), ct), open, pages);
            return pages;
        }
        catch (Exception fault) when (fault is HttpRequestException or XmlException or TaskCanceledException
            && !ct.IsCancellationRequested)
        {
            return new Rejection("sitemap_unreadable", fault.Message, "sitemap");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<string> GetAsync(CollectionPlan plan, string address, CancellationToken ct)
    {
        for (var redirects = 0; redirects <= RedirectsMax; redirects++)
        {
            if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || !HostRule.Admits(plan.AllowedHosts, url))
                throw new HttpRequestException($"{address} is not an http(s) address of an allowed host.");
            using var response = await _client.GetAsync(url, ct);
            if ((int)response.StatusCode is >= 300 and < 400 && response.Headers.Location is { } location)
            {
                address = new Uri(url, location).AbsoluteUri;
                continue;
            }

            return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(ct);
        }

        throw new HttpRequestException($"{plan.Sitemap} redirects too often.");
    }

    private static void Collect(string xml, Queue<string> sitemaps, List<string> pages)
    {
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };
        using var text = new StringReader(xml);
        using var reader = XmlReader.Create(text, settings);
        var index = false;
        while (reader.Read())
        {
            if (reader.NodeType != XmlNodeType.Element)
                continue;
            if (reader.LocalName == "sitemapindex")
                index = true;
            else if (reader.LocalName == "loc" && reader.Depth == 2)
            {
                var url = reader.ReadElementContentAsString().Trim();
                if (index)
                    sitemaps.Enqueue(url);
                else
                    pages.Add(url);
            }
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, ct);
        // One address that is not public taints the name: which one is used must not be a matter of luck.
        if (addresses.Length == 0 || !addresses.All(address => PublicAddress.MayConnect(address, _allowLoopback)))
            throw new HttpRequestException($"{context.DnsEndPoint.Host} is not on the public internet.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
