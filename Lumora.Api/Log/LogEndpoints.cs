using System.Globalization;
using System.Security.Cryptography;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Domain.Merkle;
using Microsoft.Net.Http.Headers;

namespace Lumora.Api.Log;

/// <summary>
/// A log as C2SP tlog-tiles serves it: files, which no request for them makes the database read. Proofs make one indexed
/// look-up.
/// </summary>
internal static class LogEndpoints
{
    private const string Text = "text/plain; charset=utf-8";
    private const string Binary = "application/octet-stream";
    private const string Immutable = "public, max-age=31536000, immutable";

    /// <summary>The newest checkpoint. It changes with every batch, so that caches must ask.</summary>
    public static async Task<IResult> CheckpointAsync(
        string shard, ShardLogs logs, HttpContext context, CancellationToken cancellationToken)
    {
        // Read whole: the file is replaced while it is served.
        if (logs.Find(shard) is not { } log
            || await log.Blobs.ReadAsync(LogPublisher.CheckpointPath, cancellationToken) is not { } note)
            return NotFound("checkpoint_not_found", $"The log {shard} does not exist or has no checkpoint yet.");
        context.Response.Headers.CacheControl = "no-cache";
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(note))}\"");
        return Results.Bytes(note, Text, entityTag: tag);
    }

    /// <summary>The key that signs, as a C2SP vkey. Auditors pin it elsewhere; this is for a first look.</summary>
    public static IResult Key(string shard, ShardLogs logs) =>
        logs.Find(shard) is { } log
            ? Results.Text($"{log.Key}\n", "text/plain", System.Text.Encoding.UTF8)
            : NotFound("log_not_found", $"There is no log {shard}.");

    /// <summary>All keys that sign, one a line, the log's key first: two while it is being replaced.</summary>
    public static IResult Keys(string shard, ShardLogs logs) =>
        logs.Find(shard) is { } log
            ? Results.Text(string.Concat(log.Keys.Select(key => $"{key}\n")), "text/plain", System.Text.Encoding.UTF8)
            : NotFound("log_not_found", $"There is no log {shard}.");

    /// <summary>A tile of hashes.</summary>
    public static IResult HashTile(string shard, string level, string index, ShardLogs logs, HttpContext context) =>
        File(shard, $"tile/{level}/{index}", logs, context);

    /// <summary>A bundle of entries.</summary>
    public static IResult Bundle(string shard, string index, ShardLogs logs, HttpContext context) =>
        File(shard, $"tile/entries/{index}", logs, context);

    /// <summary>Data that was too long for its leaf, by the SHA-256 that the leaf names.</summary>
    public static IResult Data(string shard, string sha256, ShardLogs logs, HttpContext context)
    {
        if (!MerkleHash.TryParseHex(sha256, out _))
            return NotFound("data_not_found", "Data is named by 64 lower-case hexadecimal digits.");
        return logs.Find(shard) is { } log
            ? Serve(log, $"data/{sha256}", "application/json", context)
            : NotFound("log_not_found", $"There is no log {shard}.");
    }

    /// <summary>The proof that an event stands in the newest checkpoint, as a <c>.tlog-proof</c> file.</summary>
    public static async Task<IResult> ProofAsync(
        string shard, Guid eventId, ShardLogs logs, HttpContext context, CancellationToken cancellationToken)
    {
        if (logs.Find(shard) is not { } log)
            return NotFound("log_not_found", $"There is no log {shard}.");
        if (await log.Leaves.FindAsync(eventId, cancellationToken) is not { } leaf)
            return NotFound("event_not_found", $"The event {eventId} is not in the log {shard}.");
        if (await log.Blobs.ReadAsync(LogPublisher.CheckpointPath, cancellationToken) is not { } note)
            return NotFound("event_not_published", "The event is in no checkpoint yet: ask again in a second.");
        var checkpoint = NoteVerifier.VerifyCheckpoint(note, log.Key).Checkpoint;
        if (leaf.Index >= checkpoint.Size)
            return NotFound("event_not_published", "The event is in no checkpoint yet: ask again in a second.");

        var path = await new TreeReader(new BlobTiles(log.Blobs), checkpoint.Size).InclusionAsync(leaf.Index, cancellationToken);
        var proof = new TlogProof(leaf.Index, path, note).ToBytes();
        // Nothing leaves that we would not believe ourselves.
        LogProofVerifier.Verify(proof, leaf.Bytes, log.Key);
        context.Response.Headers.CacheControl = "no-cache";
        return Results.File(proof, Text, $"{eventId}.tlog-proof");
    }

    /// <summary>The entry of an event: the bytes that its leaf hash covers.</summary>
    public static async Task<IResult> EntryAsync(
        string shard, Guid eventId, ShardLogs logs, HttpContext context, CancellationToken cancellationToken)
    {
        if (logs.Find(shard) is not { } log || await log.Leaves.FindAsync(eventId, cancellationToken) is not { } leaf)
            return NotFound("event_not_found", $"The event {eventId} is not in the log {shard}.");
        context.Response.Headers["Lumora-Leaf-Index"] = leaf.Index.ToString(CultureInfo.InvariantCulture);
        return Results.Bytes(leaf.Bytes, "application/json");
    }

    private static IResult File(string shard, string path, ShardLogs logs, HttpContext context)
    {
        // A path that is not spelled as the specification spells it names no file.
        if (logs.Find(shard) is not { } log || !TileId.TryParse(path, out var tile))
            return NotFound("tile_not_found", $"The log {shard} has no {path}.");
        return Serve(log, tile.Path, Binary, context);
    }

    private static IResult Serve(ShardLog log, string path, string contentType, HttpContext context)
    {
        var file = new FileInfo(log.Blobs.FileOf(path));
        if (!file.Exists)
            return NotFound("tile_not_found", $"The log {log.Shard} has no {path}.");
        context.Response.Headers.CacheControl = Immutable;
        // What never changes under its name is told apart by when it was written and how long it is, as static files are.
        var tag = string.Create(CultureInfo.InvariantCulture, $"\"{file.LastWriteTimeUtc.Ticks:x}-{file.Length:x}\"");
        return Results.File(
            file.FullName, contentType, lastModified: new DateTimeOffset(file.LastWriteTimeUtc), entityTag: new EntityTagHeaderValue(tag));
    }

    private static IResult NotFound(string code, string detail) => Results.Problem(
        detail, statusCode: StatusCodes.Status404NotFound,
        extensions: new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = code });
}
