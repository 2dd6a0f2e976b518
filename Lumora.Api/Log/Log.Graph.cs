using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using GraphQL;
using Lumora.Api.Log;
using Lumora.Chain.Log;
using Lumora.Domain.Log;
using Lumora.Projections.EventStore;

namespace Lumora.Api.GraphQL;

/// <summary>An event as the transparency log holds it.</summary>
/// <param name="Id">The event's id.</param>
/// <param name="Index">Its place in its shard's log, from 0, without gaps.</param>
/// <param name="Shard">The shard whose log holds it.</param>
/// <param name="Stream">Its stream, for example ledger/main.</param>
/// <param name="Version">Its place in its stream, from 1, without gaps.</param>
/// <param name="Type">The event contract's name, for example transaction_posted.</param>
/// <param name="At">When it was appended.</param>
/// <param name="Actor">Who caused it; null where nobody was named.</param>
/// <param name="Causation">The message or request that caused it.</param>
/// <param name="Data">What happened, as canonical JSON; null when it was too long for its leaf.</param>
/// <param name="DetachedData">Where data that was too long for its leaf is; null when it is here.</param>
/// <param name="LeafHash">SHA-256 of a zero byte and the leaf (RFC 6962), hex.</param>
/// <param name="ProofPath">Where the proof that it stands in the newest checkpoint is served.</param>
public sealed record LogEvent(
    [property: Id] string Id, long Index, string Shard, string Stream, long Version, string Type, DateTimeOffset At,
    string? Actor, string? Causation, string? Data, LogDetachedData? DetachedData, string LeafHash, string ProofPath)
{
    internal static LogEvent From(LeafRow row)
    {
        var (leaf, data) = Leaf.Decode(row.Bytes);
        return new LogEvent(
            leaf.Id.ToString("D"), row.Index, leaf.Shard, leaf.Stream, leaf.Version, leaf.Type, leaf.At, leaf.Actor,
            leaf.Causation, row.Detached is null ? Encoding.UTF8.GetString(data.Span) : null,
            row.Detached is null ? null : LogDetachedData.From(leaf.Shard, row.Detached), row.Hash.ToString(),
            $"/log/{leaf.Shard}/proof/{leaf.Id:D}");
    }
}

/// <summary>Data that was too long for its leaf, which names it by its hash.</summary>
/// <param name="Sha256">SHA-256 of the canonical JSON, hex.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Path">Where it is served.</param>
public sealed record LogDetachedData(string Sha256, int Length, string Path)
{
    internal static LogDetachedData From(string shard, byte[] data) => new(
        Convert.ToHexStringLower(SHA256.HashData(data)), data.Length, $"/log/{shard}/{LogPublisher.DetachedPath(data)}");
}

/// <summary>A signed statement of how many events a log has and what they are.</summary>
/// <param name="Shard">The log's shard.</param>
/// <param name="Origin">The log's name.</param>
/// <param name="Size">Events that it covers.</param>
/// <param name="Root">Root of the Merkle tree (RFC 6962) over them, base64 as in the note.</param>
/// <param name="Note">The signed note (C2SP), as it is served.</param>
/// <param name="Key">The key that signed it, as a C2SP vkey. Pin the one that you have from elsewhere.</param>
/// <param name="PublishedAt">When it was published.</param>
public sealed record LogCheckpoint(
    string Shard, string Origin, long Size, string Root, string Note, string Key, DateTimeOffset PublishedAt);

public sealed partial class Query
{
    /// <summary>A published event of any shard; null when no checkpoint covers it (yet).</summary>
    /// <param name="id">The event's id, a UUID.</param>
    [AllowAnyone]
    public static async Task<LogEvent?> Event(
        IResolveFieldContext context, [FromServices] ShardLogs logs, [FromServices] LogAccessRule access, [Id] string id,
        CancellationToken ct)
    {
        access.Demand(context.Caller());
        if (!Guid.TryParse(id, out var eventId))
            return null;
        foreach (var log in logs.All)
        {
            if (await log.Leaves.FindAsync(eventId, ct) is { } leaf && leaf.Index < log.Served.Size)
                return LogEvent.From(leaf);
        }

        return null;
    }

    /// <summary>The published events of a shard, in the order of its log.</summary>
    /// <param name="stream">Only events of this stream, for example ledger/main.</param>
    /// <param name="type">Only events of this contract, for example transaction_posted.</param>
    /// <param name="shard">The shard; the global one when left out. Of an unknown shard there are none.</param>
    [AllowAnyone]
    public static async Task<Connection<LogEvent>> Events(
        IResolveFieldContext context, [FromServices] ShardLogs logs, [FromServices] ShardSessions sessions,
        [FromServices] LogAccessRule access, PageRequest page, CancellationToken ct, string? stream = null, string? type = null,
        string? shard = null)
    {
        access.Demand(context.Caller());
        var name = shard ?? sessions.ShardOf(ShardRole.Global);
        if (logs.Find(name) is not { } log || log.Served.Size is not (> 0 and var size))
            return page.Page<LogEvent>([], row => row.Id);
        var search = new LeafSearch(
            Index(page.After, otherwise: -1), Math.Min(Index(page.Before, size), size),
            page.Backward, page.Take, stream, type);
        var rows = await log.Leaves.SearchAsync(search, ct);
        return page.Page([.. rows.Select(LogEvent.From)], row => row.Index.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The newest published checkpoint of a shard's log; null before the first or when there is no such shard.</summary>
    /// <param name="shard">The shard; the global one when left out.</param>
    [AllowAnyone]
    public static LogCheckpoint? Checkpoint(
        [FromServices] ShardLogs logs, [FromServices] ShardSessions sessions, string? shard = null)
    {
        if (logs.Find(shard ?? sessions.ShardOf(ShardRole.Global)) is not { } log || log.Served.Read() is not var (checkpoint, note, at))
            return null;
        return new LogCheckpoint(
            log.Shard, checkpoint.Origin, checkpoint.Size, checkpoint.Root.ToBase64(),
            System.Text.Encoding.UTF8.GetString(note), log.Key.ToString(), at);
    }

    private static long Index(string? key, long otherwise) =>
        long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : otherwise;
}
