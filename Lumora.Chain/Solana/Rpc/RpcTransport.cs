using System.Net.Http.Json;
using System.Text.Json;

namespace Lumora.Chain.Solana.Rpc;

/// <summary>One JSON-RPC call over HTTP, with a time limit, a size limit and typed errors.</summary>
internal sealed class RpcTransport(HttpClient http, Uri address, TimeSpan timeout)
{
    private const int AnswerBytesMax = 64 * 1024 * 1024;

    private int _id;

    public Uri Address { get; } = address;

    public async Task<JsonElement> CallAsync(string method, object?[] parameters, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(timeout);
        try
        {
            return await SendAsync(method, parameters, limit.Token);
        }
        catch (OperationCanceledException fault) when (!ct.IsCancellationRequested)
        {
            throw new RpcUnavailableException($"{method} at {Describe()} took longer than {timeout.TotalSeconds:0.#} s.", fault);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or JsonException)
        {
            throw new RpcUnavailableException($"{method} at {Describe()} failed: {fault.Message}", fault);
        }
    }

    private async Task<JsonElement> SendAsync(string method, object?[] parameters, CancellationToken ct)
    {
        var id = Interlocked.Increment(ref _id);
        using var content = JsonContent.Create(new { jsonrpc = "2.0", id, method, @params = parameters });
        // Public RPC servers answer "411 Length Required" to chunked bodies.
        await content.LoadIntoBufferAsync(ct);
        using var request = new HttpRequestMessage(HttpMethod.Post, Address) { Content = content };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (response.Content.Headers.ContentLength > AnswerBytesMax)
            throw new RpcUnavailableException($"{method} at {Describe()}: the answer is too large.");
        await response.Content.LoadIntoBufferAsync(AnswerBytesMax, ct);
        if (!response.IsSuccessStatusCode)
            throw new RpcUnavailableException($"{method} at {Describe()}: HTTP {(int)response.StatusCode}.");
        using var document = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(ct), default, ct);
        return Read(document.RootElement, method);
    }

    private static JsonElement Read(JsonElement answer, string method)
    {
        try
        {
            if (answer.ValueKind != JsonValueKind.Object)
                throw new JsonException($"{method}: the answer is no JSON-RPC object.");
            if (answer.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
                throw ToException(error);
            return answer.TryGetProperty("result", out var result)
                ? result.Clone()
                : throw new JsonException($"{method}: the answer has no result.");
        }
        catch (Exception exception) when (RpcJson.IsOfOtherForm(exception))
        {
            throw new JsonException($"{method}: the answer has not the form of JSON-RPC: {exception.Message}", exception);
        }
    }

    /// <summary>The exception of a JSON-RPC error; throws as <see cref="RpcJson.IsOfOtherForm"/> says when it has no form of one.</summary>
    internal static RpcErrorException ToException(JsonElement error)
    {
        var code = error.GetProperty("code").GetInt32();
        var message = error.GetProperty("message").GetString() ?? "";
        var hasData = error.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object;
        if (code == RpcErrorException.PreflightFailure && hasData && RpcJson.Error(data) is { } reason)
            return new TransactionRefusedException(message, reason, RpcJson.Strings(data, "logs"));
        return new RpcErrorException(code, message, hasData ? data.Clone() : null);
    }

    /// <summary>Host and port only: paths and queries of RPC addresses carry access keys.</summary>
    private string Describe() => Address.Authority;
}
