using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Lumora.Integration.Tests.Anchoring;

/// <summary>
/// An RPC server that stands before a real local Solana and can be told to hide, change or make up answers, or to be dead.
/// </summary>
internal sealed class FaultyServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http = new();
    private readonly Uri _behind;

    private FaultyServer(Uri behind)
    {
        _behind = behind;
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapPost("/", AnswerAsync);
    }

    public Uri Address => new(_app.Urls.First());

    /// <summary>Dead: connections break.</summary>
    public bool IsDead { get; set; }

    /// <summary>Changes results: method and true answer in, result out. Null: nothing is changed.</summary>
    public Func<string, JsonNode, JsonNode?>? Lie { get; set; }

    /// <summary>Methods that are not passed on but answered by <see cref="Lie"/> alone.</summary>
    public IReadOnlyCollection<string> Swallowed { get; set; } = [];

    /// <summary>Every method that it was asked since <see cref="Heal"/>.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public static async Task<FaultyServer> StartAsync(Uri behind)
    {
        var server = new FaultyServer(behind);
        await server._app.StartAsync();
        return server;
    }

    /// <summary>Honest and alive again.</summary>
    public void Heal()
    {
        (IsDead, Lie, Swallowed) = (false, null, []);
        Asked.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = (await JsonNode.ParseAsync(context.Request.Body))!;
        var method = (string)request["method"]!;
        Asked.Enqueue(method);
        if (IsDead)
        {
            context.Abort();
            return;
        }

        JsonNode answer;
        if (Swallowed.Contains(method, StringComparer.Ordinal))
            answer = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = request["id"]!.DeepClone(), ["result"] = request["params"]!.DeepClone() };
        else
        {
            using var passed = await _http.PostAsJsonAsync(_behind, request);
            answer = (await JsonNode.ParseAsync(await passed.Content.ReadAsStreamAsync()))!;
        }

        if (Lie is { } lie && answer["result"] is { } result)
            answer["result"] = lie(method, result.DeepClone());
        await context.Response.WriteAsJsonAsync(answer);
    }
}
