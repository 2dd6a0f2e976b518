using System.Net.Mime;
using GraphQL;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Lumora.Api.GraphQL;

/// <summary>
/// The endpoint by the GraphQL-over-HTTP specification (working draft). Batches, uploads and incremental delivery are not
/// offered. JSON requests only: a browser cannot send one across origins without asking first.
/// </summary>
internal sealed class GraphQLHttp(GraphQLRunner runner, IGraphQLTextSerializer serializer, IOptions<GraphQLOptions> options)
{
    private const string GraphQLResponse = "application/graphql-response+json";

    private readonly GraphQLHttpRequest _reader = new(serializer);

    public async Task HandleAsync(HttpContext context)
    {
        var ct = context.RequestAborted;
        context.Response.Headers.Vary = HeaderNames.Accept;
        context.Response.Headers.CacheControl = "no-store";
        if (Negotiate(context.Request.Headers.Accept) is not { } mediaType)
        {
            context.Response.StatusCode = StatusCodes.Status406NotAcceptable;
            var refusal = new ExecutionError($"Accept {GraphQLResponse} or {MediaTypeNames.Application.Json}.")
            {
                Code = ErrorCodes.NotAcceptable,
            };
            await WriteAsync(context.Response, MediaTypeNames.Application.Json, new ExecutionResult(refusal), ct);
            return;
        }

        var bytesMax = context.User.Identity is { IsAuthenticated: true } ? options.Value.SignedInBodyBytesMax : options.Value.BodyBytesMax;
        var reading = await _reader.ReadAsync(context.Request, bytesMax, ct);
        if (reading.Request is null)
        {
            context.Response.StatusCode = reading.Status;
            if (reading.Status == StatusCodes.Status405MethodNotAllowed)
                context.Response.Headers.Allow = "GET, POST";
            await WriteAsync(context.Response, mediaType, new ExecutionResult(reading.Refusal!), ct);
            return;
        }

        var queriesOnly = HttpMethods.IsGet(context.Request.Method);
        var result = await runner.RunAsync(reading.Request, queriesOnly, context.User, context.RequestServices, ct);
        context.Response.StatusCode = StatusOf(result, mediaType);
        if (context.Response.StatusCode == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer";
        if (context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed)
            context.Response.Headers.Allow = "POST";
        await WriteAsync(context.Response, mediaType, result, ct);
    }

    /// <summary>
    /// The media type to answer in; null when the client accepts neither. Without a preference it is application/json,
    /// which clients from before the specification expect.
    /// </summary>
    internal static string? Negotiate(StringValues accept)
    {
        if (StringValues.IsNullOrEmpty(accept))
            return MediaTypeNames.Application.Json;
        if (!MediaTypeHeaderValue.TryParseList(accept, out var ranges))
            return null;
        foreach (var range in ranges.Where(r => r.Quality is null or > 0).OrderByDescending(r => r.Quality ?? 1))
        {
            if (range.MediaType.Equals(GraphQLResponse, StringComparison.OrdinalIgnoreCase))
                return GraphQLResponse;
            if (range.MediaType.Equals(MediaTypeNames.Application.Json, StringComparison.OrdinalIgnoreCase)
                || range.MatchesAllTypes
                || range.MediaType.Equals("application/*", StringComparison.OrdinalIgnoreCase))
                return MediaTypeNames.Application.Json;
        }
        return null;
    }

    /// <summary>
    /// An operation that ran is 200. One that did not is 200 in application/json (the specification asks for it) and
    /// an error status in application/graphql-response+json; access and method are an error status in both.
    /// </summary>
    private static int StatusOf(ExecutionResult result, string mediaType)
    {
        if (result.Executed)
            return StatusCodes.Status200OK;
        var codes = (result.Errors ?? []).Select(error => error.Code).ToHashSet(StringComparer.Ordinal);
        if (codes.Contains(ErrorCodes.Unauthenticated))
            return StatusCodes.Status401Unauthorized;
        if (codes.Contains(ErrorCodes.Forbidden))
            return StatusCodes.Status403Forbidden;
        if (codes.Contains(ErrorCodes.MethodNotAllowed))
            return StatusCodes.Status405MethodNotAllowed;
        if (mediaType == MediaTypeNames.Application.Json)
            return StatusCodes.Status200OK;
        if (codes.Contains(ErrorCodes.Timeout))
            return StatusCodes.Status503ServiceUnavailable;
        return codes.Contains(ErrorCodes.Internal)
            ? StatusCodes.Status500InternalServerError
            : StatusCodes.Status400BadRequest;
    }

    private async Task WriteAsync(HttpResponse response, string mediaType, ExecutionResult result, CancellationToken ct)
    {
        response.ContentType = mediaType + "; charset=utf-8";
        await serializer.WriteAsync(response.Body, result, ct);
    }
}
