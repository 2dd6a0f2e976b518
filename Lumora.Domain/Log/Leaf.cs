using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Merkle;

namespace Lumora.Domain.Log;

/// <summary>
/// One event as the transparency log commits to it, version 1 (contract and vectors: docs/leaf.md). The bytes are
/// canonical JSON and are kept as they were written; nobody computes them a second time from the events table.
/// </summary>
/// <param name="Shard">The shard whose log holds the event, for example <c>main</c>.</param>
/// <param name="Stream">The event's stream, for example <c>ledger/main</c>.</param>
/// <param name="Version">The event's place in its stream, from 1: a missing number shows a gap.</param>
/// <param name="Id">The event's own id.</param>
/// <param name="Type">The event contract's name, for example <c>transaction_posted</c>.</param>
/// <param name="At">When it was appended, UTC, microseconds.</param>
/// <param name="Actor">Who caused it, or null where nobody was named.</param>
/// <param name="Causation">The message or request that caused it, or null.</param>
public sealed record Leaf(
    string Shard, string Stream, long Version, Guid Id, string Type, DateTimeOffset At, string? Actor, string? Causation)
{
    /// <summary>The format that this code writes and reads.</summary>
    public const int FormatVersion = 1;

    /// <summary>The longest entry of a C2SP bundle: its length is a 16-bit number.</summary>
    public const int BytesMax = 65_535;

    internal const long VersionMax = 1L << 53;
    private const int VersionDigitsMax = 20;
    internal const int IdLength = 36;
    private const int OverheadBytes = 512;

    /// <summary>The leaf of this event with <paramref name="data"/>, one JSON value in any spelling.</summary>
    /// <exception cref="FormatException"><paramref name="data"/> has no canonical form.</exception>
    public EncodedLeaf Encode(ReadOnlySpan<byte> data)
    {
        // The version is a JSON number, exact up to 2⁵³.
        Check.That(Version is >= 1 and <= VersionMax);
        var output = new ArrayBufferWriter<byte>(data.Length + OverheadBytes);
        Compose(data, output);
        if (output.WrittenCount <= BytesMax)
            return new EncodedLeaf(output.WrittenSpan.ToArray(), null);
        var canonicalData = CanonicalJson.Canonicalize(data);
        var reference = CanonicalJson.Serialize(
            new { length = canonicalData.Length, sha256 = Convert.ToHexStringLower(SHA256.HashData(canonicalData)) });
        output.ResetWrittenCount();
        Compose(reference, output);
        Check.That(output.WrittenCount <= BytesMax);
        return new EncodedLeaf(output.WrittenSpan.ToArray(), canonicalData);
    }

    /// <summary>Reads a leaf back. Only the canonical spelling is taken, so that one event has one leaf.</summary>
    /// <exception cref="FormatException">The bytes are no leaf of version 1; the message says why.</exception>
    public static DecodedLeaf Decode(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > BytesMax)
            throw new FormatException($"A leaf has at most {BytesMax} bytes, not {bytes.Length}.");
        if (!CanonicalJson.IsCanonical(bytes.Span))
            throw new FormatException("The leaf is not canonical JSON.");
        return new LeafReader(bytes).Read();
    }

    /// <summary>The members in canonical order around the canonical form of <paramref name="data"/>.</summary>
    private void Compose(ReadOnlySpan<byte> data, ArrayBufferWriter<byte> output)
    {
        output.Write("{\"at\":"u8);
        CanonicalJson.WriteText(At.ToWire(), output);
        output.Write(",\"data\":"u8);
        CanonicalJson.Write(data, output);
        output.Write(",\"id\":"u8);
        output.Write("\""u8);
        Id.TryFormat(output.GetSpan(IdLength), out var idLength, "D");
        output.Advance(idLength);
        output.Write("\""u8);
        output.Write(",\"meta\":{\"actor\":"u8);
        WriteOptional(Actor, output);
        output.Write(",\"causation\":"u8);
        WriteOptional(Causation, output);
        output.Write("},\"shard\":"u8);
        CanonicalJson.WriteText(Shard, output);
        output.Write(",\"stream\":"u8);
        CanonicalJson.WriteText(Stream, output);
        output.Write(",\"type\":"u8);
        CanonicalJson.WriteText(Type, output);
        output.Write(",\"v\":1,\"version\":"u8);
        Version.TryFormat(output.GetSpan(VersionDigitsMax), out var digits, provider: CultureInfo.InvariantCulture);
        output.Advance(digits);
        output.Write("}"u8);
    }

    private static void WriteOptional(string? text, IBufferWriter<byte> output)
    {
        if (text is null)
            output.Write("null"u8);
        else
            CanonicalJson.WriteText(text, output);
    }
}

/// <summary>A leaf's bytes and, where the data was too long for them, the data.</summary>
/// <param name="Bytes">The entry of the log, at most <see cref="Leaf.BytesMax"/> bytes.</param>
/// <param name="DetachedData">
/// Canonical JSON that the leaf names by SHA-256 and length; null when the data stands in the leaf itself.
/// </param>
public sealed record EncodedLeaf(byte[] Bytes, byte[]? DetachedData);

/// <summary>A leaf that was read back.</summary>
/// <param name="Leaf">All members but the data.</param>
/// <param name="DataBytes">The event's data, or its <see cref="DetachedData"/> reference, in canonical JSON.</param>
public sealed record DecodedLeaf(Leaf Leaf, ReadOnlyMemory<byte> DataBytes)
{
    private JsonElement? _data;

    /// <summary>The same as JSON, read when it is asked for.</summary>
    public JsonElement Data => _data ??= JsonElement.Parse(DataBytes.Span);

    /// <summary>The reference that stands in the place of data that was too long; null when the data is here.</summary>
    public DetachedData? Detached =>
        DataBytes.Span.StartsWith("{\"length\":"u8) && Data.GetPropertyCount() == 2
        && Data.TryGetProperty("sha256", out var sha256) && sha256.ValueKind == JsonValueKind.String
        && MerkleHash.TryParseHex(sha256.GetString(), out _)
        && Data.TryGetProperty("length", out var length) && length.ValueKind == JsonValueKind.Number
        && length.TryGetInt32(out var bytes) && bytes >= 0
            ? new DetachedData(sha256.GetString()!, bytes)
            : null;
}

/// <summary>Names data that is served apart from its leaf.</summary>
/// <param name="Sha256">Lower-case hexadecimal SHA-256 of the canonical data.</param>
/// <param name="Length">Its bytes.</param>
public sealed record DetachedData(string Sha256, int Length);
