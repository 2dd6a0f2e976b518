using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Lumora.Integration.Tests.Cli;

/// <summary>A web server that serves whichever log its operator chooses.</summary>
internal sealed class ForgedServer : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly HttpClient _http = new();

    private ForgedServer(WebApplication web) => _web = web;

    /// <summary>Its address.</summary>
    public string Address => _web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>Whose files are served; null: none.</summary>
    public ForgedLog? Log { get; set; }

    /// <summary>Requests for files of the log that are answered with 503 before one is served.</summary>
    public int Hiccups { get; set; }

    /// <summary>Answers a path of the log instead of its file; null: the file.</summary>
    public Func<string, byte[]?>? Instead { get; set; }

    /// <summary>What <c>/readyz</c> says of the log.</summary>
    public string? Trouble { get; set; }

    /// <summary>What GraphQL answers, whatever is asked; null: there is none.</summary>
    public string? Answer { get; set; }

    /// <summary>Whose GraphQL answers instead; null: nobody's.</summary>
    public Uri? GraphQL { get; set; }

    /// <summary>Writes <c>/v1/events</c> from an index on; null: there is none.</summary>
    public Func<long, HttpContext, Task>? Export { get; set; }

    public static async Task<ForgedServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new ForgedServer(builder.Build());
        server._web.MapGet("/log/main/{**path}", (string path) =>
        {
            if (server.Hiccups > 0)
            {
                server.Hiccups--;
                return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
            }

            if (server.Instead?.Invoke(path) is { } other)
                return Results.Bytes(other);
            var file = server.Log is { } log ? Path.Combine(log.Folder, "log", path) : "";
            return File.Exists(file) ? Results.Bytes(File.ReadAllBytes(file)) : Results.NotFound();
        });
        server._web.MapGet("/readyz", () => Results.Json(new
        {
            status = "degraded",
            checks = new { log = new { status = server.Trouble is null ? "healthy" : "degraded", detail = server.Trouble } },
        }));
        server._web.MapPost("/graphql", async (HttpContext context) => server.GraphQL is { } other
            ? Results.Text(await server.ForwardAsync(other, context.Request), "application/json")
            : server.Answer is { } answer ? Results.Text(answer, "application/json") : Results.NotFound());
        server._web.MapGet("/v1/events", async (long from, HttpContext context) =>
        {
            if (server.Export is { } export)
                await export(from, context);
            else
                context.Response.StatusCode = StatusCodes.Status404NotFound;
        });
        await server._web.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    private async Task<string> ForwardAsync(Uri address, HttpRequest from)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, "graphql"));
        request.Content = new StringContent(await new StreamReader(from.Body).ReadToEndAsync(from.HttpContext.RequestAborted), System.Text.Encoding.UTF8, "application/json");
        request.Headers.Add("Authorization", from.Headers.Authorization.ToString());
        request.Headers.Accept.ParseAdd("application/graphql-response+json");
        using var answer = await _http.SendAsync(request, from.HttpContext.RequestAborted);
        return await answer.Content.ReadAsStringAsync(from.HttpContext.RequestAborted);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _web.DisposeAsync();
    }
}
