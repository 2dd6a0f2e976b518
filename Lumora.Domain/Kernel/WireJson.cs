using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lumora.Domain.Kernel;

/// <summary>
/// The one JSON dialect of events and wire messages: camelCase, 64-bit integers as strings, enums as snake_case
/// names, times with 6 decimals, nulls left out, unknown members refused on the wire.
/// </summary>
public static class WireJson
{
    /// <summary>For stored events: unknown members are ignored, so that old readers survive new fields.</summary>
    public static JsonSerializerOptions Events { get; } = Configure(new JsonSerializerOptions());

    /// <summary>For messages from outside: unknown members are an error, so that a misspelt field is not ignored.</summary>
    public static JsonSerializerOptions Messages { get; } = Configure(new JsonSerializerOptions
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    });

    /// <summary>Applies the dialect to <paramref name="options"/>.</summary>
    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.Converters.Add(new MomentJsonConverter());
        options.Converters.Add(new Int64JsonConverter());
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
        return options;
    }
}

/// <summary>64-bit integers are JSON strings; a plain number is read too, for messages made by hand.</summary>
internal sealed class Int64JsonConverter : JsonConverter<long>
{
    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number)
            return reader.GetInt64();
        if (long.TryParse(
                reader.GetString(), System.Globalization.NumberStyles.AllowLeadingSign,
                System.Globalization.CultureInfo.InvariantCulture, out var value))
            return value;
        throw new JsonException("A 64-bit integer is expected, as a string.");
    }

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString(System.Globalization.CultureInfo.InvariantCulture));
}
