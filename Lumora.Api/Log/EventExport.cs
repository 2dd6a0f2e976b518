using System.Buffers;
using System.Globalization;
using Lumora.Chain.Log;
using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Log;

/// <summary>
/// <c>GET /v1/events</c>: published leaves, one a line, from an index or behind an event on, up to a checkpoint. A line is the very
/// bytes that the leaf hash covers. <c>Lumora-Leaf-Index</c> says which leaf the first line is, <c>Lumora-Log-Size</c> how many
/// leaves the newest checkpoint has; docs/log.md says how to go on after a lost connection.
/// </summary>
internal static class EventExport
{
    private const string NdJson = "application/x-ndjson";
    private const string InvalidRange = "invalid_range";

    // Read and held at a time; the next page is read when the client has taken this one.
    private const int PageBytes = 128 * 1024;

    /// <summary>Streams the export.</summary>
    public static async Task GetAsync(
        HttpContext context, ShardLogs logs, ShardSessions sessions, ExportTurns turns, IOptions<LogOptions> options)
    {
        var query = ExportQuery.Read(context.Request.Query);
        if (query.Rejection is { } refused)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, refused);
            return;
        }

        var name = query.Value!.Shard ?? sessions.ShardOf(ShardRole.Global);
        if (logs.Find(name) is not { } log)
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, new Rejection("log_not_found", $"There is no log {name}.", "shard"));
            return;
        }

        var size = log.Served.Size;
        if (!turns.TryTake())
        {
            context.Response.Headers.RetryAfter = "1";
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, new Rejection("busy", "Too many exports run; wait."));
            return;
        }

        try
        {
            var range = await RangeAsync(query.Value, log, size, context.RequestAborted);
            if (range.Rejection is { } wrong)
            {
                await RefuseAsync(
                    context,
                    wrong.Code == InvalidRange ? StatusCodes.Status400BadRequest : StatusCodes.Status404NotFound, wrong);
                return;
            }

            var (begin, end) = range.Value;
            var headers = context.Response.Headers;
            context.Response.ContentType = NdJson;
            headers.CacheControl = options.Value.Access == LogAccess.Public ? "no-cache" : "private, no-cache";
            headers["Lumora-Log-Size"] = size.ToString(CultureInfo.InvariantCulture);
            headers["Lumora-Leaf-Index"] = begin.ToString(CultureInfo.InvariantCulture);
            if (!HttpMethods.IsHead(context.Request.Method))
                await WriteAsync(context, log.Leaves, turns, begin, end);
        }
        finally
        {
            turns.Return();
        }
    }

    /// <summary>From which index up to and without which: only what a checkpoint covers is given out.</summary>
    private static async Task<Result<(long Begin, long End)>> RangeAsync(
        ExportQuery query, ShardLog log, long size, CancellationToken cancellationToken)
    {
        var bound = query.Checkpoint ?? size;
        if (bound > size)
            return new Rejection("checkpoint_not_published", $"The newest checkpoint has {size} leaves.", "checkpoint");
        var begin = query.From ?? 0;
        if (query.After is { } eventId)
        {
            if (await log.Leaves.FindAsync(eventId, cancellationToken) is not { } leaf)
                return new Rejection("event_not_found", $"The event {eventId} is not in the log {log.Shard}.", "after");
            if (leaf.Index >= size)
                return LogProblems.NotPublished with { Field = "after" };
            begin = leaf.Index + 1;
        }

        if (begin > size)
            return new Rejection("index_not_published", $"The newest checkpoint has {size} leaves.", "from");
        if (begin > bound)
            return new Rejection(InvalidRange, $"The leaf {begin} lies behind the checkpoint of {bound} leaves.", "checkpoint");
        return (begin, query.Limit is { } limit && limit < bound - begin ? begin + limit : bound);
    }

    private static async Task WriteAsync(HttpContext context, LeafTable leaves, ExportTurns turns, long begin, long end)
    {
        var output = context.Response.BodyWriter;
        for (var next = begin; next < end;)
        {
            var page = await leaves.ReadEntriesAsync(next, end, PageBytes, context.RequestAborted);
            var length = 0L;
            foreach (var entry in page)
            {
                output.Write(entry);
                output.Write("\n"u8);
                length += entry.Length;
            }

            turns.Read(length);
            next += page.Count;
            // Waits until the client has taken enough.
            var flushed = await output.FlushAsync(context.RequestAborted);
            if (flushed.IsCompleted)
                return;
        }
    }

    private static Task RefuseAsync(HttpContext context, int status, Rejection rejection) =>
        LogProblems.Of(status, rejection.Code, rejection.Message, rejection.Field).ExecuteAsync(context);
}
