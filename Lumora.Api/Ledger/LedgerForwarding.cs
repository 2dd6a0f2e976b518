using System.Net;
using Lumora.Projections.Ledger;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Ledger;

/// <summary>
/// Where other hosts bring their callers' requests while this one is the writer. Who may come is who can read the lease's
/// secret in the database; a stranger learns nothing, not even who the writer is.
/// </summary>
internal static class LedgerForwarding
{
    private const string ContentType = "application/x-ndjson";

    /// <summary>Maps the route; <see cref="Ledgers"/> has to be registered.</summary>
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost(LedgerSignature.PathOf("{shard}"), ReceiveAsync).AllowAnonymous().ExcludeFromDescription();

    private static async Task<IResult> ReceiveAsync(
        HttpContext http, string shard, Ledgers ledgers, ILedgerAddress address, IOptions<LedgerOptions> options,
        CancellationToken ct)
    {
        var (request, headers) = (http.Request, http.Request.Headers);
        if (!MayCome(http.Connection.RemoteIpAddress, address.Current) || headers[LedgerSignature.Header].Count == 0)
            return Refuse(StatusCodes.Status401Unauthorized);
        http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = options.Value.ForwardBytesMax;
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, ct);
        var answer = await ledgers.ReceiveAsync(
            shard,
            new ForwardedBatch(
                request.Method, request.Path.ToUriComponent(), headers[LedgerSignature.TermHeader],
                headers[LedgerSignature.TimeHeader], headers[LedgerSignature.Header],
                body.GetBuffer().AsMemory(0, (int)body.Length)),
            ct);
        switch (answer?.Result)
        {
            case ForwardResult.Answered:
                http.Response.Headers[LedgerSignature.Header] = answer.Signature;
                return Results.Bytes(answer.Body, ContentType);
            case ForwardResult.NotTheWriter:
                return Refuse(StatusCodes.Status503ServiceUnavailable, "not_the_writer");
            case ForwardResult.TooLarge:
                return Refuse(StatusCodes.Status413PayloadTooLarge);
            default:
                return Refuse(StatusCodes.Status401Unauthorized);
        }
    }

    // A host that is told to others as loopback expects nobody from elsewhere.
    private static bool MayCome(IPAddress? from, string? address)
    {
        var isLocal = from is null || IPAddress.IsLoopback(from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from);
        return isLocal || (Uri.TryCreate(address, UriKind.Absolute, out var told) && !told.IsLoopback);
    }

    private static IResult Refuse(int status, string? code = null) => Results.Problem(
        statusCode: status, extensions: code is null ? null : new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = code });
}
