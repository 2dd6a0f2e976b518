using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Lumora.Api.GraphQL;
using Lumora.Projections.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Lumora.Integration.Tests.GraphQL;

/// <summary>The endpoint with the probe schema on a real loopback port. A bearer token is "id" or "id:role".</summary>
public class GraphQLHost : IAsyncLifetime
{
    private readonly string _home = Directory.CreateTempSubdirectory("lumora-graphql-").FullName;
    private WebApplication? _app;

    public HttpClient Client { get; } = new();

    public Uri Endpoint => new(new Uri(_app!.Urls.First()), "/graphql");

    public RecordedLog Log { get; } = new();

    /// <summary>Whether opening the page installs GraphiQL from npm.</summary>
    protected virtual bool InstallsGraphiQL => false;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().AddProvider(Log);
        builder.Configuration.AddInMemoryCollection([
            new("Lumora:GraphQL:Timeout", "00:00:02"),
            new("Lumora:GraphQL:GraphiQL", InstallsGraphiQL.ToString()),
        ]);
        builder.Services.AddSingleton(new LumoraHome(_home));
        builder.AddGraphQL(new SchemaRoots(typeof(Probe.Query), typeof(Probe.Mutation)));
        builder.Services.AddSingleton<Probe.Fetches>().AddSingleton<Probe.Counter>().AddScoped<Probe.OwnerLoader>();
        builder.Services.AddAuthentication("probe").AddScheme<AuthenticationSchemeOptions, BearerIsTheName>("probe", null);
        _app = builder.Build();
        _app.UseAuthentication();
        _app.MapGraphQL();
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Client.Dispose();
        await _app!.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    /// <summary>A service of the host.</summary>
    internal T Get<T>()
        where T : notnull => _app!.Services.GetRequiredService<T>();

    /// <summary>Posts a body as it is.</summary>
    public async Task<Answer> PostAsync(
        string body, string? accept = null, string? contentType = "application/json", string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Endpoint)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)),
        };
        if (contentType is not null)
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return await SendAsync(request, accept, token);
    }

    /// <summary>Posts a document in the media type of the specification.</summary>
    public Task<Answer> QueryAsync(string query, string? token = null) => PostAsync(
        JsonSerializer.Serialize(new { query }), "application/graphql-response+json", token: token);

    public Task<Answer> GetAsync(string queryString, string? accept = null) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, $"{Endpoint}?{queryString}"), accept, null);

    public async Task<Answer> SendAsync(HttpRequestMessage request, string? accept, string? token)
    {
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new Answer(
            (int)response.StatusCode,
            response.Content.Headers.ContentType?.ToString(),
            response.Content.Headers.Allow.Count > 0 ? string.Join(", ", response.Content.Headers.Allow) : null,
            text,
            text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    private sealed class BearerIsTheName(
        IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers.Authorization is not [{ } value, ..])
                return Task.FromResult(AuthenticateResult.NoResult());
            var parts = value.Split(' ')[^1].Split(':');
            var user = SchemaHost.SignedIn(parts[0], parts[1..]);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(user, Scheme.Name)));
        }
    }
}

/// <summary>What came back.</summary>
public sealed record Answer(int Status, string? ContentType, string? Allow, string Text, JsonElement Json)
{
    public string? Code => Json.Code();
}

/// <summary>Keeps log lines so that a test can read what an operator would see.</summary>
public sealed class RecordedLog : ILoggerProvider, ILogger
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

    public string Text => string.Join('\n', _lines);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) => _lines.Enqueue($"{formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
