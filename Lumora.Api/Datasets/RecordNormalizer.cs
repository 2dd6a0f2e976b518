using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;

namespace Lumora.Api.Datasets;

/// <summary>
/// Brings records into their one form: the version's columns only, no nulls and no empty texts, canonical JSON;
/// and drops a record that came before. Two records are the same when all but <c>fetchedAt</c> is: the same page
/// fetched by two nodes counts once. Holds some 32 bytes for each record kept.
/// </summary>
/// <param name="columns">The version's columns.</param>
internal sealed class RecordNormalizer(IReadOnlyList<DatasetColumn> columns)
{
    private const string FetchedAt = "fetchedAt";
    private readonly Dictionary<string, DatasetColumn> known = columns.ToDictionary(column => column.Name, StringComparer.Ordinal);
    private readonly HashSet<UInt128> seen = [];

    /// <summary>The record's canonical line without a line feed, or null when it came before or holds nothing.</summary>
    /// <exception cref="DatasetBuildException">The line is no JSON object or a value is not of its column's type.</exception>
    public byte[]? Normalize(ReadOnlyMemory<byte> line)
    {
        using var document = Parse(line);
        var kept = document.RootElement.EnumerateObject()
            .Where(member => known.ContainsKey(member.Name) && !IsEmpty(member.Value))
            .ToDictionary(member => member.Name, Clean, StringComparer.Ordinal);
        if (kept.Count == 0)
            return null;
        return seen.Add(KeyOf(kept)) ? Write(kept) : null;
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            var document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document
                : throw new DatasetBuildException("input_changed", "A record is not a JSON object.");
        }
        catch (JsonException fault)
        {
            throw new DatasetBuildException("input_changed", $"A record is not JSON: {fault.Message}", fault);
        }
    }

    private static bool IsEmpty(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.String && value.ValueEquals(""));

    private object Clean(JsonProperty member)
    {
        var (name, value) = (member.Name, member.Value);
        return (known[name].Type, value.ValueKind) switch
        {
            (FieldType.Boolean, JsonValueKind.True) => true,
            (FieldType.Boolean, JsonValueKind.False) => false,
            (FieldType.Boolean, _) => throw Wrong(name),
            (FieldType.Integer, JsonValueKind.Number) => value.GetInt64().ToString(CultureInfo.InvariantCulture),
            (FieldType.Integer, JsonValueKind.String) when !long.TryParse(
                value.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) => throw Wrong(name),
            (_, JsonValueKind.String) => value.GetString()!,
            (_, JsonValueKind.Number) => value.GetRawText(),
            _ => throw Wrong(name),
        };
    }

    private static DatasetBuildException Wrong(string name) =>
        new("input_changed", $"A record's field {name} is not of its column's type.");

    private static UInt128 KeyOf(Dictionary<string, object> record)
    {
        var content = Write(record.Where(field => field.Key != FetchedAt));
        return BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(content));
    }

    private static byte[] Write(IEnumerable<KeyValuePair<string, object>> fields)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in fields)
            {
                if (value is bool flag)
                    writer.WriteBoolean(name, flag);
                else
                    writer.WriteString(name, (string)value);
            }

            writer.WriteEndObject();
        }

        return CanonicalJson.Canonicalize(buffer.WrittenSpan);
    }
}

/// <summary>A build cannot go on, and would not if it were tried again.</summary>
/// <param name="code">Stable code of <see cref="DatasetBuildFailed"/>.</param>
/// <param name="message">For the publisher.</param>
/// <param name="inner">The cause, if there is one.</param>
internal sealed class DatasetBuildException(string code, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>Stable code.</summary>
    public string Code { get; } = code;
}
