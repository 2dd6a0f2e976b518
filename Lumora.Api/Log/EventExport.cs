using System.Globalization;
using Lumora.Chain.Log;
using Lumora.Projections.EventStore;

namespace Lumora.Api.Log;

/// <summary>
/// <c>GET /v1/events?from=0&amp;limit=1000&amp;shard=main</c>: published leaves, one a line, from an index on. A line is the very bytes that the
/// leaf hash covers; the header <c>Lumora-Log-Size</c> says how many leaves the newest checkpoint has.
/// </summary>
internal static class EventExport
{
    private const string NdJson = "application/x-ndjson";

    /// <summary>Streams the export.</summary>
    public static async Task GetAsync(
        HttpContext context, ShardLogs logs, ShardSessions sessions, long from = 0, long limit = long.MaxValue, string? shard = null)
    {
        var name = shard ?? sessions.ShardOf(ShardRole.Global);
        if (logs.Find(name) is not { } log)
        {
            await Problem(StatusCodes.Status404NotFound, "log_not_found", $"There is no log {name}.").ExecuteAsync(context);
            return;
        }

        if (from < 0 || limit < 1)
        {
            await Problem(StatusCodes.Status400BadRequest, "invalid_range", "from is at least 0, limit at least 1.").ExecuteAsync(context);
            return;
        }

        var size = logs.Latest(name)?.Checkpoint.Size ?? 0;
        var end = limit > size - Math.Min(from, size) ? size : from + limit;
        context.Response.ContentType = NdJson;
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["Lumora-Log-Size"] = size.ToString(CultureInfo.InvariantCulture);
        var newLine = "\n"u8.ToArray();
        await foreach (var leaf in log.Leaves.ReadAsync(from, end, context.RequestAborted))
        {
            await context.Response.Body.WriteAsync(leaf.Bytes, context.RequestAborted);
            await context.Response.Body.WriteAsync(newLine, context.RequestAborted);
        }
    }

    private static IResult Problem(int status, string code, string detail) => Results.Problem(
        detail, statusCode: status, extensions: new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = code });
}
