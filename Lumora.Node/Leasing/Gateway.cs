using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Node.Cryptography;
using Lumora.Node.Keys;

namespace Lumora.Node.Leasing;

/// <summary>The gateway answered that it will not do it; asking again does not help.</summary>
internal sealed class GatewayRefusedException(HttpStatusCode status, string body)
    : Exception($"The gateway answered {(int)status}: {body}")
{
    internal HttpStatusCode Status { get; } = status;
}

/// <summary>
/// The node's side of the node protocol. Every request is signed anew (a repeated one has a new nonce); what failed for
/// a passing reason is asked again with backoff until it is done or the caller stops it.
/// </summary>
internal sealed class Gateway : IDisposable
{
    private const int ErrorTextMax = 500;
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http;
    private readonly NodeOptions _options;
    private readonly TimeProvider _clock;
    private readonly OwnerLog _log;

    internal Gateway(NodeOptions options, OwnerLog log, TimeProvider clock)
    {
        (_options, _log, _clock) = (options, log, clock);
        var handler = new NodeSigningHandler(options.Key.Seed, NodeKey.Curve, clock)
        {
            InnerHandler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false },
        };
        _http = new HttpClient(handler) { BaseAddress = options.Server, Timeout = RequestTimeout };
        _http.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", options.UserAgent);
    }

    /// <summary>Asks for work; null when there is none.</summary>
    internal async Task<Lease?> LeaseAsync(CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            HttpMethod.Post, NodeProtocol.LeasesPath, () => Json(new LeaseRequest(_options.WaitSeconds)), cancellationToken);
        return response.StatusCode == HttpStatusCode.NoContent
            ? null
            : await response.Content.ReadFromJsonAsync<Lease>(WireJson.Messages, cancellationToken);
    }

    /// <summary>How much of a result the gateway holds.</summary>
    internal async Task<long> UploadedAsync(string leaseId, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            HttpMethod.Head, NodeProtocol.ResultPath(leaseId), () => null, cancellationToken);
        return OffsetOf(response);
    }

    /// <summary>Uploads from where the gateway stands to the end of <paramref name="file"/>.</summary>
    internal async Task UploadAsync(string leaseId, Stream file, CancellationToken cancellationToken)
    {
        var offset = await UploadedAsync(leaseId, cancellationToken);
        var chunk = new byte[_options.ChunkBytes];
        while (offset < file.Length)
        {
            file.Position = offset;
            var length = await file.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellationToken);
            offset = await PutAsync(leaseId, offset, chunk.AsMemory(0, length), cancellationToken);
        }
    }

    /// <summary>Hands in the signed result; the same result may be handed in again.</summary>
    internal async Task<ReceiptCountersigned> CompleteAsync(TaskResult result, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            HttpMethod.Post, NodeProtocol.CompletePath(result.LeaseId), () => Json(result), cancellationToken);
        return await response.Content.ReadFromJsonAsync<ReceiptCountersigned>(WireJson.Messages, cancellationToken)
            ?? throw new GatewayRefusedException(response.StatusCode, "no receipt in the answer");
    }

    /// <summary>Gives a lease back.</summary>
    internal async Task RefuseAsync(string leaseId, LeaseRefusal refusal, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            HttpMethod.Post, NodeProtocol.RefusePath(leaseId), () => Json(refusal), cancellationToken);
    }

    /// <summary>What the network knows about this node.</summary>
    internal async Task<NodeSelf> SelfAsync(CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Get, NodeProtocol.SelfPath, () => null, cancellationToken);
        return await response.Content.ReadFromJsonAsync<NodeSelf>(WireJson.Messages, cancellationToken)
            ?? throw new GatewayRefusedException(response.StatusCode, "an empty answer");
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Sends one chunk; a conflict means that the gateway stands elsewhere, and says where.</summary>
    private async Task<long> PutAsync(
        string leaseId, long offset, ReadOnlyMemory<byte> chunk, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await SendAsync(
                HttpMethod.Put, NodeProtocol.ResultPath(leaseId), () => Bytes(chunk), cancellationToken, offset);
            return OffsetOf(response);
        }
        catch (GatewayRefusedException refused) when (refused.Status == HttpStatusCode.Conflict)
        {
            var actual = await UploadedAsync(leaseId, cancellationToken);
            // The same offset again would go round for ever.
            if (actual == offset)
                throw;
            return actual;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, Func<HttpContent?> content, CancellationToken cancellationToken, long? offset = null)
    {
        var backoff = new Backoff(_options.BackoffMin, _options.BackoffMax, _clock);
        while (true)
        {
            TimeSpan? retryAfter = null;
            string fault;
            using var request = new HttpRequestMessage(method, path) { Content = content() };
            if (offset is { } at)
                request.Headers.Add(NodeProtocol.UploadOffsetHeader, at.ToString(CultureInfo.InvariantCulture));
            try
            {
                var response = await _http.SendAsync(request, cancellationToken);
                if (response.IsSuccessStatusCode)
                    return response;
                using (response)
                {
                    var text = await response.Content.ReadAsStringAsync(cancellationToken);
                    if (!IsPassing(response.StatusCode))
                        throw new GatewayRefusedException(response.StatusCode, text[..Math.Min(text.Length, ErrorTextMax)]);
                    fault = $"HTTP {(int)response.StatusCode}";
                    retryAfter = response.Headers.RetryAfter?.Delta;
                }
            }
            catch (HttpRequestException broken)
            {
                fault = broken.Message;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                fault = "no answer in time";
            }

            _log.Write("gateway_retry", ("call", $"{method} {path}"), ("fault", fault));
            await backoff.WaitAsync(retryAfter, cancellationToken);
        }
    }

    private static bool IsPassing(HttpStatusCode status) =>
        (int)status >= 500 || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;

    private static long OffsetOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues(NodeProtocol.UploadOffsetHeader, out var values)
        && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset
            : throw new GatewayRefusedException(response.StatusCode, $"no {NodeProtocol.UploadOffsetHeader} in the answer");

    private static JsonContent Json<T>(T message) => JsonContent.Create(message, options: WireJson.Messages);

    private static ReadOnlyMemoryContent Bytes(ReadOnlyMemory<byte> chunk)
    {
        var content = new ReadOnlyMemoryContent(chunk);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return content;
    }
}
