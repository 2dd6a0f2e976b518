using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>
/// Requests and answers as one host sends them to another: a line of JSON for each call, an array of the requests that are
/// decided together. The reader is strict: an older host that passed over a newer member would do something else than
/// was asked.
/// </summary>
/// <remarks>
/// Commands, outcomes and stream types carry the names of their types in snake_case, events those of
/// <see cref="EventCatalog"/>, so that a new command needs no line here.
/// </remarks>
public static class LedgerWire
{
    private static readonly Dictionary<string, Type> EventTypes =
        EventCatalog.All.ToDictionary(pair => pair.Name, pair => pair.Type, StringComparer.Ordinal);

    private static readonly Dictionary<Type, string> EventNames =
        EventCatalog.All.ToDictionary(pair => pair.Type, pair => pair.Name);

    // A state that says where its stream lies is a stream's type.
    private static readonly Dictionary<string, Type> StreamTypes = typeof(LedgerWire).Assembly.GetExportedTypes()
        .Where(type => type.IsClass && (type.GetMethod("StreamOf") ?? type.GetMethod("StreamId")) is { IsStatic: true })
        .ToDictionary(NameOf, StringComparer.Ordinal);

    private static readonly JsonSerializerOptions Options = new(WireJson.Messages)
    {
        // Absent and null are two things here, so that what is missing is an error.
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        // What follows from the other members is not sent.
        IgnoreReadOnlyProperties = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { NameFamily } },
    };

    /// <summary>The line of <paramref name="requests"/>, one or an all-or-nothing call, without its end.</summary>
    /// <exception cref="ArgumentException">A companion's event or stream type is not of this domain.</exception>
    public static byte[] Encode(IEnumerable<LedgerRequest> requests) =>
        JsonSerializer.SerializeToUtf8Bytes(requests.Select(Wire), Options);

    /// <summary>The line of <paramref name="outcomes"/>, one for each request, without its end; null = unknown.</summary>
    public static byte[] Encode(IReadOnlyList<LedgerOutcome>? outcomes) =>
        JsonSerializer.SerializeToUtf8Bytes(outcomes, Options);

    /// <summary>Reads the line of one request or of an all-or-nothing call; never empty.</summary>
    /// <exception cref="JsonException">It is none, or one that this host does not know.</exception>
    public static IReadOnlyList<LedgerRequest> DecodeRequests(ReadOnlySpan<byte> line) =>
        Read<WireRequest?[]>(line) is { Length: > 0 } requests
            ? Array.ConvertAll(requests, Unwire)
            : throw new JsonException("Requests are expected.");

    /// <summary>Reads the line of outcomes; null = they are unknown.</summary>
    /// <exception cref="JsonException">It is none, or one that this host does not know.</exception>
    public static IReadOnlyList<LedgerOutcome>? DecodeOutcomes(ReadOnlySpan<byte> line) =>
        Read<LedgerOutcome?[]>(line) is { } outcomes
            ? Array.ConvertAll(outcomes, outcome => outcome ?? throw new JsonException("An outcome is expected."))
            : null;

    private static T? Read<T>(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line, Options);
        }
        catch (NotSupportedException exception)
        {
            // A command or an outcome without the name of its kind.
            throw new JsonException(exception.Message, exception);
        }
    }

    private static WireRequest Wire(LedgerRequest request) => new(
        request.Actor.Id, (int)request.Actor.Roles, request.Key, request.Command,
        request.Companion is { } companion ? Wire(companion) : null);

    private static LedgerRequest Unwire(WireRequest? wire) => wire is null
        ? throw new JsonException("A request is expected.")
        : new LedgerRequest(
            new Actor(wire.Actor, (Roles)wire.Roles), wire.Key, wire.Command,
            wire.Companion is { } companion ? Unwire(companion) : null);

    private static WireCompanion Wire(CompanionEvents companion)
    {
        var type = NameOf(companion.StreamType);
        if (StreamTypes.GetValueOrDefault(type) != companion.StreamType)
            throw new ArgumentException($"{companion.StreamType} is no stream type of the domain.", nameof(companion));
        return new WireCompanion(
            companion.StreamId, type, companion.ExpectedVersion, [.. companion.Events.Select(Wire)]);
    }

    private static WireEvent Wire(object data) => EventNames.TryGetValue(data.GetType(), out var name)
        ? new WireEvent(name, JsonSerializer.SerializeToElement(data, data.GetType(), WireJson.Events))
        : throw new ArgumentException($"{data.GetType()} is no event of the domain.", nameof(data));

    private static CompanionEvents Unwire(WireCompanion companion) => new(
        companion.StreamId,
        StreamTypes.GetValueOrDefault(companion.StreamType) ?? throw new JsonException("The stream's type is not known here."),
        companion.ExpectedVersion,
        [.. companion.Events.Select(Unwire)]);

    // The reader of JSON does not look at what stands in a list.
    private static object Unwire(WireEvent? data) => EventTypes.TryGetValue(data?.Type ?? "", out var type)
        ? data!.Data.Deserialize(type, WireJson.Events) ?? throw new JsonException("An event is expected.")
        : throw new JsonException("The event is not known here.");

    private static void NameFamily(JsonTypeInfo info)
    {
        if (info.Type != typeof(LedgerCommand) && info.Type != typeof(LedgerOutcome))
            return;
        info.PolymorphismOptions = new JsonPolymorphismOptions
        {
            UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization,
        };
        foreach (var type in info.Type.Assembly.GetTypes().Where(type => type.IsSubclassOf(info.Type)))
            info.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(type, NameOf(type)));
    }

    private static string NameOf(Type type) => JsonNamingPolicy.SnakeCaseLower.ConvertName(type.Name);

    private sealed record WireRequest(string Actor, int Roles, string Key, LedgerCommand Command, WireCompanion? Companion);

    private sealed record WireCompanion(
        string StreamId, string StreamType, long? ExpectedVersion, IReadOnlyList<WireEvent> Events);

    private sealed record WireEvent(string Type, JsonElement Data);
}
