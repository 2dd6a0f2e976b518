using System.Net;
using System.Text;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Lumora.Cli.Witnesses;

/// <summary>
/// A witness over HTTP: <c>POST /add-checkpoint</c> and <c>GET /&lt;hash of the origin&gt;/checkpoint</c>; for its operator <c>/healthz</c> and
/// <c>/metrics</c>.
/// </summary>
internal sealed class WitnessServer(Witness witness, WitnessStanding standing, TextWriter errors)
{
    private const string CheckpointSuffix = "/checkpoint";
    private const int ConnectionsMax = 256;

    private static readonly TimeSpan HeadersWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(10);

    /// <summary>Serves at <paramref name="listen"/> until it is cancelled; <paramref name="started"/> hears the addresses.</summary>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public async Task RunAsync(Uri listen, Action<IEnumerable<string>> started, CancellationToken cancellationToken)
    {
        // Nothing of the folder or the environment that it is started in configures it.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = AddCheckpointRequest.BytesMax;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            kestrel.Limits.RequestHeadersTimeout = HeadersWithin;
        }).UseUrls(listen.GetLeftPart(UriPartial.Authority)).UseShutdownTimeout(StopsWithin);
        await using var app = builder.Build();
        app.Run(AnswerAsync);
        await app.StartAsync(cancellationToken);
        started(app.Urls);
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // What was taken on is answered; who asks now is not heard any more.
        await app.StopAsync(CancellationToken.None);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        try
        {
            if (path == "/add-checkpoint")
                await AddAsync(context);
            else if (path.Length > CheckpointSuffix.Length && path.EndsWith(CheckpointSuffix, StringComparison.Ordinal))
                await CheckpointAsync(context, path[1..^CheckpointSuffix.Length]);
            else if (path is "/healthz" or "/metrics")
                await WriteAsync(context, HttpStatusCode.OK, path == "/healthz" ? standing.Health() : standing.Metrics());
            else
                await WriteAsync(context, HttpStatusCode.NotFound, "A witness has /add-checkpoint and /<sha256 of the origin>/checkpoint.\n");
        }
        catch (BadHttpRequestException exception)
        {
            await WriteAsync(context, (HttpStatusCode)exception.StatusCode, $"{exception.Message}\n");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or FormatException or Lumora.Chain.Log.LogRefusedException)
        {
            if (context.RequestAborted.IsCancellationRequested)
                return;
            await errors.WriteLineAsync($"{path}: {fault.Message}");
            await WriteAsync(context, HttpStatusCode.InternalServerError, "The witness cannot read or write its state.\n");
        }
    }

    private async Task AddAsync(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Post;
            await WriteAsync(context, HttpStatusCode.MethodNotAllowed, "Checkpoints are posted.\n");
            return;
        }

        using var body = new MemoryStream();
        // Kestrel ends a body that is longer than its limit.
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var answer = await witness.AddCheckpointAsync(body.ToArray(), context.RequestAborted);
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(answer.Body), context.RequestAborted);
    }

    private async Task CheckpointAsync(HttpContext context, string hash)
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Get;
            await WriteAsync(context, HttpStatusCode.MethodNotAllowed, "Checkpoints are read.\n");
            return;
        }

        if (await witness.CheckpointAsync(hash, context.RequestAborted) is not { } note)
        {
            await WriteAsync(context, HttpStatusCode.NotFound, "No checkpoint of this log was cosigned.\n");
            return;
        }

        context.Response.Headers.CacheControl = "no-cache";
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.Body.WriteAsync(note, context.RequestAborted);
    }

    private static async Task WriteAsync(HttpContext context, HttpStatusCode status, string text)
    {
        context.Response.StatusCode = (int)status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text));
    }
}
