using System.Buffers;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using GraphQL;
using GraphQL.Transport;
using Lumora.Api.Operations;
using Microsoft.Net.Http.Headers;

namespace Lumora.Api.GraphQL;

/// <summary>Reads a request as the GraphQL-over-HTTP specification says ("Request", "Request Parameters").</summary>
internal sealed class GraphQLHttpRequest(IGraphQLTextSerializer serializer)
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The request, or the refusal with its status; a body has <paramref name="bodyBytesMax"/> bytes at most.</summary>
    public async Task<Reading> ReadAsync(HttpRequest request, int bodyBytesMax, CancellationToken ct)
    {
        if (HttpMethods.IsGet(request.Method))
            return ReadQueryString(request.Query);
        if (!HttpMethods.IsPost(request.Method))
            return Refuse(StatusCodes.Status405MethodNotAllowed, ErrorCodes.MethodNotAllowed, "Use POST or GET.");
        if (!IsJson(request))
        {
            return Refuse(
                StatusCodes.Status415UnsupportedMediaType, ErrorCodes.UnsupportedMediaType,
                "Send the request as application/json in UTF-8, not compressed.");
        }

        var body = await ReadBodyAsync(request, bodyBytesMax, ct);
        if (body is null)
        {
            return Refuse(
                StatusCodes.Status413PayloadTooLarge, ErrorCodes.BodyTooLarge, $"A body has at most {bodyBytesMax} bytes.");
        }
        return Guarded("The body is not valid JSON in UTF-8 with each name once.", () =>
        {
            using var json = JsonDocument.Parse(body, Strict);
            return ReadParameters(json.RootElement);
        });
    }

    /// <summary>Reads the members of a request object; also used for the payload of a socket's subscribe message.</summary>
    public Reading ReadParameters(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return Refuse("The request is a JSON object; batches are not supported.");
        if (!TryGet(root, "query", JsonValueKind.String, out var query) || query is null)
            return Refuse("query must be a string with the document.");
        if (!TryGet(root, "operationName", JsonValueKind.String, out var operationName))
            return Refuse("operationName must be a string or null.");
        if (!TryGet(root, "variables", JsonValueKind.Object, out var variables))
            return Refuse("variables must be an object or null.");
        if (!TryGet(root, "extensions", JsonValueKind.Object, out var extensions))
            return Refuse("extensions must be an object or null.");
        if (!JsonText.IsSound(root))
            return Refuse("The database keeps no text with U+0000; leave it out.");
        return new Reading(new GraphQLRequest
        {
            Query = query.Value.GetString(),
            OperationName = operationName?.GetString(),
            Variables = Inputs(variables),
            Extensions = Inputs(extensions),
        });
    }

    private Reading ReadQueryString(IQueryCollection parameters) =>
        Guarded("variables and extensions in a query string are JSON text.", () =>
        {
            var members = new Dictionary<string, object?>(StringComparer.Ordinal);
            foreach (var name in (string[])["query", "operationName", "variables", "extensions"])
            {
                if (parameters[name] is not [{ Length: > 0 } text, ..])
                    continue;
                members[name] = name is "variables" or "extensions" ? JsonElement.Parse(text, Strict) : text;
            }
            return ReadParameters(JsonSerializer.SerializeToElement(members));
        });

    /// <summary>Bytes that are no UTF-8 and halves of surrogate pairs are found only when the text is read, as another exception.</summary>
    private static Reading Guarded(string refusal, Func<Reading> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return Refuse(refusal);
        }
    }

    private static async Task<byte[]?> ReadBodyAsync(HttpRequest request, int bodyBytesMax, CancellationToken ct)
    {
        if (request.ContentLength > bodyBytesMax)
            return null;
        while (true)
        {
            var read = await request.BodyReader.ReadAsync(ct);
            var tooLarge = read.Buffer.Length > bodyBytesMax;
            if (tooLarge || read.IsCompleted)
            {
                var body = tooLarge ? null : read.Buffer.ToArray();
                request.BodyReader.AdvanceTo(read.Buffer.End);
                return body;
            }
            request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static bool IsJson(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals(MediaTypeNames.Application.Json, StringComparison.OrdinalIgnoreCase))
            return false;
        var charset = HeaderUtilities.RemoveQuotes(type.Charset);
        return (!charset.HasValue || charset.Equals(Encoding.UTF8.WebName, StringComparison.OrdinalIgnoreCase))
            && request.Headers.ContentEncoding is [] or ["identity"];
    }

    /// <summary>False when the member is there with another kind; a missing or null member gives null.</summary>
    private static bool TryGet(JsonElement root, string name, JsonValueKind kind, out JsonElement? value)
    {
        value = null;
        if (!root.TryGetProperty(name, out var found) || found.ValueKind == JsonValueKind.Null)
            return true;
        value = found;
        return found.ValueKind == kind;
    }

    private Inputs? Inputs(JsonElement? element) => element is null ? null : serializer.ReadNode<Inputs>(element);

    private static Reading Refuse(string message) =>
        Refuse(StatusCodes.Status400BadRequest, ErrorCodes.BadRequest, message);

    private static Reading Refuse(int status, string code, string message) =>
        new(null, status, new ExecutionError(message) { Code = code });
}

/// <summary>A request that can run, or why not.</summary>
/// <param name="Request">Set when the request is well formed.</param>
/// <param name="Status">The HTTP status of the refusal.</param>
/// <param name="Refusal">Set when it is not.</param>
internal sealed record Reading(
    GraphQLRequest? Request, int Status = StatusCodes.Status200OK, ExecutionError? Refusal = null);
