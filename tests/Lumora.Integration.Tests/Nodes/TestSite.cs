using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lumora.Integration.Tests.Nodes;

/// <summary>A web site on the loopback address, served by Kestrel.</summary>
internal sealed class TestSite : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, RequestDelegate> _pages = new(StringComparer.Ordinal);
    private readonly WebApplication _app;

    private TestSite()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(ServeAsync);
    }

    internal Uri Address => new(_app.Urls.First());

    internal ConcurrentQueue<(string Path, string UserAgent)> Requests { get; } = new();

    internal static async Task<TestSite> StartAsync()
    {
        var site = new TestSite();
        await site._app.StartAsync();
        return site;
    }

    internal string Url(string path) => new Uri(Address, path).AbsoluteUri;

    internal TestSite Html(string path, string html) => Bytes(path, Encoding.UTF8.GetBytes(html), "text/html; charset=utf-8");

    internal TestSite Bytes(string path, byte[] bytes, string contentType) => Page(path, async context =>
    {
        context.Response.ContentType = contentType;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    });

    internal TestSite Redirect(string path, string target) => Page(path, context =>
    {
        context.Response.Redirect(target);
        return Task.CompletedTask;
    });

    internal TestSite Page(string path, RequestDelegate page)
    {
        _pages[path] = page;
        return this;
    }

    internal int Count(string path) => Requests.Count(request => request.Path == path);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private Task ServeAsync(HttpContext context)
    {
        Requests.Enqueue((context.Request.Path, context.Request.Headers.UserAgent.ToString()));
        if (_pages.TryGetValue(context.Request.Path, out var page))
            return page(context);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
