using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Lumora.Cli.Demo;

/// <summary>
/// The site that the demo gathers: a folder of HTML files, which it serves on loopback, or a site that is up already.
/// </summary>
internal sealed partial class DemoSite : IDisposable
{
    private readonly HttpListener? _listener;
    private readonly string? _folder;

    private DemoSite(Uri root, IReadOnlyList<Uri> pages, HttpListener? listener, string? folder)
    {
        Root = root;
        Pages = pages;
        _listener = listener;
        _folder = folder;
    }

    /// <summary>Where the site begins.</summary>
    public Uri Root { get; }

    /// <summary>The pages to gather, in a fixed order.</summary>
    public IReadOnlyList<Uri> Pages { get; }

    /// <summary>Opens <paramref name="site"/> (a folder or an http address) with at most <paramref name="pagesMax"/> pages.</summary>
    /// <exception cref="DemoFailedException">No such folder, or no pages in it.</exception>
    public static async Task<DemoSite> OpenAsync(string site, int pagesMax, CancellationToken cancellation)
    {
        if (Directory.Exists(site))
            return Serve(Path.GetFullPath(site), pagesMax);
        if (Uri.TryCreate(site, UriKind.Absolute, out var root) && root.Scheme.StartsWith("http", StringComparison.Ordinal))
            return await SurveyAsync(root, pagesMax, cancellation);
        throw new DemoFailedException($"--site {site}: neither a folder nor an http address.");
    }

    /// <summary>The title of <paramref name="page"/> as the site itself has it: read without the node's parser.</summary>
    public async Task<string?> TitleAsync(HttpClient http, Uri page, CancellationToken cancellation)
    {
        var html = _folder is null
            ? await http.GetStringAsync(page, cancellation)
            : await File.ReadAllTextAsync(Path.Combine(_folder, Uri.UnescapeDataString(page.AbsolutePath[1..])), cancellation);
        var title = TitleElement().Match(html);
        return title.Success ? string.Join(' ', WebUtility.HtmlDecode(title.Groups["title"].Value).Split(
            (char[]?)null, StringSplitOptions.RemoveEmptyEntries)) : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _listener?.Close();

    private static DemoSite Serve(string folder, int pagesMax)
    {
        var files = Directory.EnumerateFiles(folder, "*.htm*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Take(pagesMax).ToList();
        if (files.Count == 0)
            throw new DemoFailedException($"--site {folder}: no HTML files in this folder.");

        var root = new Uri($"http://127.0.0.1:{FreePort().ToString(CultureInfo.InvariantCulture)}/");
        var listener = new HttpListener();
        listener.Prefixes.Add(root.AbsoluteUri);
        listener.Start();
        _ = AnswerAsync(listener, folder);
        var pages = files.Select(file => new Uri(root, string.Join('/',
            Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar).Select(Uri.EscapeDataString))));
        return new DemoSite(root, [.. pages], listener, folder);
    }

    private static async Task<DemoSite> SurveyAsync(Uri root, int pagesMax, CancellationToken cancellation)
    {
        using var http = new HttpClient();
        var pages = new List<Uri> { root };
        // One level of links is enough for a demo; a real collection names a sitemap.
        foreach (Match link in Link().Matches(await http.GetStringAsync(root, cancellation)))
        {
            if (pages.Count == pagesMax)
                break;
            if (Uri.TryCreate(root, WebUtility.HtmlDecode(link.Groups["target"].Value), out var target)
                && target.Authority == root.Authority && target.Scheme == root.Scheme)
            {
                var page = new Uri(target.GetLeftPart(UriPartial.Query));
                if (!pages.Contains(page))
                    pages.Add(page);
            }
        }

        return new DemoSite(root, pages, listener: null, folder: null);
    }

    private static async Task AnswerAsync(HttpListener listener, string folder)
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            await AnswerAsync(context, folder);
        }
    }

    private static async Task AnswerAsync(HttpListenerContext context, string folder)
    {
        using var response = context.Response;
        var path = Path.GetFullPath(Path.Combine(folder, Uri.UnescapeDataString(context.Request.Url!.AbsolutePath[1..])));
        try
        {
            if (!path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) || !File.Exists(path))
            {
                response.StatusCode = (int)HttpStatusCode.NotFound;
                return;
            }

            response.ContentType = path.EndsWith(".htm", StringComparison.Ordinal) || path.EndsWith(".html", StringComparison.Ordinal)
                ? "text/html"
                : "application/octet-stream";
            await using var file = File.OpenRead(path);
            response.ContentLength64 = file.Length;
            await file.CopyToAsync(response.OutputStream);
        }
        catch (Exception gone) when (gone is HttpListenerException or IOException)
        {
            // The node went away in the middle of the page.
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [GeneratedRegex("<title[^>]*>(?<title>[^<]*)</title>", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TitleElement();

    [GeneratedRegex("<a\\s[^>]*href=\"(?<target>[^\"#]+)", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();
}
