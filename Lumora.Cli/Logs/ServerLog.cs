using System.Net;
using System.Net.Http.Headers;
using Lumora.Chain.Tiles;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Logs;

/// <summary>A log as a server serves it at <c>/log/{shard}/</c>.</summary>
internal sealed class ServerLog : ILogSource
{
    // The largest file is a bundle of 256 entries of 65,535 bytes and their lengths.
    private const int FileBytesMax = 256 * (65_535 + 2);

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
    public async Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync($"log/{_shard}/{path}", HttpCompletionOption.ResponseContentRead, cancellationToken);
        return response is null ? null : await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]?> ReadAsync(TileId tile, CancellationToken cancellationToken) =>
        await ReadAsync(tile.Path, cancellationToken);

    /// <inheritdoc/>
    public async Task<Stream?> ExportAsync(CancellationToken cancellationToken)
    {
        var response = await SendAsync(
            $"v1/events?from=0&shard={Uri.EscapeDataString(_shard)}", HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        // The stream owns the connection; the response itself holds nothing else.
        return response is null ? null : await response.Content.ReadAsStreamAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage?> SendAsync(string path, HttpCompletionOption option, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.GetAsync(new Uri(path, UriKind.Relative), option, cancellationToken);
        }
        catch (HttpRequestException exception)
        {
            throw new UnableException($"{_http.BaseAddress}{path} cannot be read: {exception.Message}", exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UnableException($"{_http.BaseAddress}{path} does not answer within {_http.Timeout.TotalSeconds:0} s.", exception);
        }

        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            return response.StatusCode switch
            {
                HttpStatusCode.NotFound => null,
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => throw new UnableException(
                    $"{_http.BaseAddress}{path} is for auditors only: give --token."),
                var status => throw new UnableException($"{_http.BaseAddress}{path} answered {(int)status}."),
            };
    }
}
