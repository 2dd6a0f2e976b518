using System.Globalization;
using System.Security.Cryptography;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Domain.Merkle;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using static Lumora.Api.Log.LogProblems;

namespace Lumora.Api.Log;

/// <summary>
/// A log as C2SP tlog-tiles serves it: files, which no request for them makes the database read. Proofs make one indexed
/// look-up.
/// </summary>
internal static class LogEndpoints
{
    private const string Text = "text/plain; charset=utf-8";
    private const string Binary = "application/octet-stream";
    private const string Json = "application/json";
    private const string Immutable = "max-age=31536000, immutable";
    private const string Shared = "public, " + Immutable;

    /// <summary>
    /// The newest checkpoint. It changes with every batch, so that caches must ask; by its tag, as several come in one second and
    /// HTTP's times have no more digits.
    /// </summary>
    public static async Task<IResult> CheckpointAsync(
        string shard, ShardLogs logs, HttpContext context, CancellationToken cancellationToken)
    {
        // Read whole: the file is replaced while it is served.
        if (logs.Find(shard) is not { } log
            || await log.Blobs.ReadAsync(LogPublisher.CheckpointPath, cancellationToken) is not { } note)
            return NotFound("checkpoint_not_found", $"The log {shard} does not exist or has no checkpoint yet.");
        context.Response.Headers.CacheControl = "no-cache";
        return Results.Bytes(note, Text, entityTag: TagOf(note));
    }

    /// <summary>The key that signs, as a C2SP vkey. Auditors pin it elsewhere; this is for a first look.</summary>
    public static IResult Key(string shard, ShardLogs logs, HttpContext context) => KeyText(shard, logs, context, log => [log.Key]);

    /// <summary>All keys that sign, one a line, the log's key first: two while it is being replaced.</summary>
    public static IResult Keys(string shard, ShardLogs logs, HttpContext context) => KeyText(shard, logs, context, log => log.Keys);

    /// <summary>A tile of hashes.</summary>
    public static IResult HashTile(string shard, string level, string index, ShardLogs logs) =>
        File(shard, $"tile/{level}/{index}", logs, Shared, compresses: false);

    /// <summary>A bundle of entries.</summary>
    public static IResult Bundle(string shard, string index, ShardLogs logs, IOptions<LogOptions> options) =>
        File(shard, $"tile/entries/{index}", logs, Entries(options), compresses: true);

    /// <summary>Data that was too long for its leaf, by the SHA-256 that the leaf names.</summary>
    public static IResult Data(string shard, string sha256, ShardLogs logs, IOptions<LogOptions> options)
    {
        if (!MerkleHash.TryParseHex(sha256, out _))
            return NotFound("data_not_found", "Data is named by 64 lower-case hexadecimal digits.");
        if (logs.Find(shard) is not { } log)
            return NotFound("log_not_found", $"There is no log {shard}.");
        var file = log.Blobs.FileOf($"data/{sha256}");
        return System.IO.File.Exists(file)
            ? new StoredFile(file, Json, Entries(options), compresses: true)
            : NotFound("data_not_found", $"The log {shard} has no such data.");
    }

    /// <summary>The proof that an event stands in the newest checkpoint, as a <c>.tlog-proof</c> file.</summary>
    public static async Task<IResult> ProofAsync(
        string shard, Guid eventId, ShardLogs logs, HttpContext context, CancellationToken cancellationToken)
    {
        if (logs.Find(shard) is not { } log)
            return NotFound("log_not_found", $"There is no log {shard}.");
        if (await log.Leaves.FindAsync(eventId, cancellationToken) is not { } leaf)
            return NotFound("event_not_found", $"The event {eventId} is not in the log {shard}.");
        if (await log.Proofs.ProveAsync(leaf, cancellationToken) is not { } proof)
            return NotFound(NotPublished);
        context.Response.Headers.CacheControl = "no-cache";
        return Results.File(proof, Text, $"{eventId}.tlog-proof", entityTag: TagOf(proof));
    }

    /// <summary>The entry of an event: the bytes that its leaf hash covers.</summary>
    public static async Task<IResult> EntryAsync(
        string shard, Guid eventId, ShardLogs logs, IOptions<LogOptions> options, HttpContext context, CancellationToken cancellationToken)
    {
        if (logs.Find(shard) is not { } log || await log.Leaves.FindAsync(eventId, cancellationToken) is not { } leaf)
            return NotFound("event_not_found", $"The event {eventId} is not in the log {shard}.");
        // A leaf and its index stand for good only where a checkpoint covers them.
        if (leaf.Index >= log.Served.Size)
            return NotFound(NotPublished);
        context.Response.Headers["Lumora-Leaf-Index"] = leaf.Index.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers.CacheControl = Entries(options);
        return Results.Bytes(leaf.Bytes, Json, entityTag: new EntityTagHeaderValue($"\"{leaf.Hash}\""));
    }

    /// <summary>What no endpoint of a log is.</summary>
    public static IResult Unknown(string shard, HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-cache";
        return NotFound("path_not_found", $"The log {shard} has no such path.");
    }

    private static IResult KeyText(string shard, ShardLogs logs, HttpContext context, Func<ShardLog, IReadOnlyList<VerifierKey>> keysOf)
    {
        if (logs.Find(shard) is not { } log)
            return NotFound("log_not_found", $"There is no log {shard}.");
        var text = System.Text.Encoding.UTF8.GetBytes(string.Concat(keysOf(log).Select(key => $"{key}\n")));
        context.Response.Headers.CacheControl = "no-cache";
        return Results.Bytes(text, Text, entityTag: TagOf(text));
    }

    private static IResult File(string shard, string path, ShardLogs logs, string cacheControl, bool compresses)
    {
        // A path that is not spelled as the specification spells it names no file.
        if (logs.Find(shard) is not { } log || !TileId.TryParse(path, out var tile))
            return NotFound("tile_not_found", $"The log {shard} has no {path}.");
        var file = log.Blobs.FileOf(tile.Path);
        return System.IO.File.Exists(file)
            ? new StoredFile(file, Binary, cacheControl, compresses)
            : NotFound("tile_not_found", $"The log {shard} has no {path}.");
    }

    // What is for auditors only may lie in no cache that others share.
    private static string Entries(IOptions<LogOptions> options) =>
        options.Value.Access == LogAccess.Public ? Shared : "private, " + Immutable;

    private static EntityTagHeaderValue TagOf(byte[] content) => new($"\"{Convert.ToHexStringLower(SHA256.HashData(content))}\"");
}
