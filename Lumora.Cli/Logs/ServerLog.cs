using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Chain.Tiles;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Logs;

/// <summary>A log as a server serves it at <c>/log/{shard}/</c>.</summary>
internal sealed class ServerLog : ILogSource
{
    // The largest file is a bundle of 256 entries of 65,535 bytes and their lengths.
    private const int FileBytesMax = 256 * (65_535 + 2);

    // An audit of hours must not end with the first hiccup.
    private static readonly TimeSpan[] s_pauses = [TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)];

    private readonly HttpClient _http;
    private readonly string _shard;

    /// <summary>The log of <paramref name="shard"/>; <paramref name="token"/> is asked for where only auditors may read.</summary>
    public ServerLog(Uri server, string shard, string? token)
    {
        _shard = shard;
        _http = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All })
        {
            BaseAddress = new Uri(server.AbsoluteUri.EndsWith('/') ? server.AbsoluteUri : server.AbsoluteUri + "/"),
            MaxResponseContentBufferSize = FileBytesMax,
            Timeout = TimeSpan.FromSeconds(60),
        };
        if (token is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <inheritdoc/>
    public string Name => $"{_http.BaseAddress}log/{_shard}";

    /// <inheritdoc/>
    public bool IsCopy => false;

    /// <inheritdoc/>
    public async Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync($"log/{_shard}/{path}", HttpCompletionOption.ResponseContentRead, cancellationToken);
        return response is null ? null : await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
        await ReadAsync(tile.Path, cancellationToken);

    /// <inheritdoc/>
    public async Task<Stream?> ExportAsync(long from, CancellationToken cancellationToken)
    {
        var response = await SendAsync(
            FormattableString.Invariant($"v1/events?from={from}&shard={Uri.EscapeDataString(_shard)}"), HttpCompletionOption.ResponseHeadersRead,
            cancellationToken);
        // The stream owns the connection; the response itself holds nothing else.
        return response is null ? null : await response.Content.ReadAsStreamAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<JsonElement?> AskAsync(string query, object variables, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(Request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        // A mirror of the log's files has no GraphQL.
        if (response is null)
            return null;
        try
        {
            var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            return answer.TryGetProperty("errors", out var errors) && errors.GetArrayLength() > 0
                ? throw new UnableException($"{_http.BaseAddress}graphql: {errors[0].GetProperty("message").GetString()}")
                : answer.GetProperty("data").Clone();
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or NotSupportedException)
        {
            throw new UnableException($"{_http.BaseAddress}graphql does not answer as GraphQL does: {exception.Message}", exception);
        }

        HttpRequestMessage Request()
        {
            var request = new HttpRequestMessage(HttpMethod.Post, new Uri("graphql", UriKind.Relative))
            {
                Content = JsonContent.Create(new { query, variables }),
            };
            request.Headers.Accept.ParseAdd("application/graphql-response+json");
            return request;
        }
    }

    /// <summary>What the server says of its own log (<c>/readyz</c>) when something keeps it from growing; null when nothing does.</summary>
    /// <exception cref="UnableException">It does not answer, or not as a host does.</exception>
    public async Task<string?> LogTroubleAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Whoever is not ready says why with 503.
            using var response = await _http.GetAsync(new Uri("readyz", UriKind.Relative), cancellationToken);
            if (response.Content.Headers.ContentType?.MediaType != "application/json")
                return null;
            var report = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            return report.ValueKind == JsonValueKind.Object && report.TryGetProperty("checks", out var checks)
                && checks.TryGetProperty("log", out var log) && log.GetProperty("status").GetString() != "healthy"
                ? log.GetProperty("detail").GetString() ?? "log: not healthy"
                : null;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new UnableException($"{_http.BaseAddress}readyz does not answer as a host does: {exception.Message}", exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw Late("readyz", exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private Task<HttpResponseMessage?> SendAsync(string path, HttpCompletionOption option, CancellationToken cancellationToken) =>
        SendAsync(() => new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative)), option, cancellationToken);

    /// <summary>Sends, and again after a pause while the server is only troubled: all that is asked for can be asked for twice.</summary>
    private async Task<HttpResponseMessage?> SendAsync(
        Func<HttpRequestMessage> create, HttpCompletionOption option, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var request = create();
            var path = request.RequestUri!.OriginalString;
            UnableException trouble;
            try
            {
                var response = await _http.SendAsync(request, option, cancellationToken);
                if (response.IsSuccessStatusCode)
                    return response;
                using (response)
                {
                    if (response.StatusCode == HttpStatusCode.NotFound)
                        return null;
                    if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
                        throw new UnableException(_http.DefaultRequestHeaders.Authorization is null
                            ? $"{_http.BaseAddress}{path} is for auditors only: give --token."
                            : $"{_http.BaseAddress}{path} refuses the token: it has run out, or has not the role auditor.");
                    trouble = new UnableException($"{_http.BaseAddress}{path} answered {(int)response.StatusCode}.");
                    if ((int)response.StatusCode < (int)HttpStatusCode.InternalServerError && response.StatusCode != HttpStatusCode.TooManyRequests)
                        throw trouble;
                }
            }
            catch (HttpRequestException exception)
            {
                trouble = new UnableException($"{_http.BaseAddress}{path} cannot be read: {exception.Message}", exception);
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                trouble = Late(path, exception);
            }

            if (attempt >= s_pauses.Length)
                throw trouble;
            await Task.Delay(s_pauses[attempt], cancellationToken);
        }
    }

    private UnableException Late(string path, Exception exception) =>
        new($"{_http.BaseAddress}{path} does not answer within {_http.Timeout.TotalSeconds:0} s.", exception);
}
