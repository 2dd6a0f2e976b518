using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lumora.Domain.Kernel;

/// <summary>Times are UTC and truncated to microseconds before they are stored or hashed (PostgreSQL's precision).</summary>
public static class Moment
{
    /// <summary>The wire form: <c>2026-01-31T23:59:59.123456Z</c>, always 6 decimals.</summary>
    public const string WireFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>Characters of the wire form.</summary>
    internal const int WireLength = 27;

    /// <summary><paramref name="time"/> in UTC, truncated to whole microseconds.</summary>
    public static DateTimeOffset Truncate(DateTimeOffset time)
    {
        var utc = time.ToUniversalTime();
        return utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerMicrosecond));
    }

    /// <summary>The current time of <paramref name="clock"/>, truncated.</summary>
    public static DateTimeOffset Now(this TimeProvider clock) => Truncate(clock.GetUtcNow());

    /// <summary><paramref name="time"/> in the wire form.</summary>
    public static string ToWire(this DateTimeOffset time) =>
        Truncate(time).ToString(WireFormat, CultureInfo.InvariantCulture);
}

/// <summary>Writes times in the wire form and reads any ISO 8601 time.</summary>
public sealed class MomentJsonConverter : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Moment.Truncate(reader.GetDateTimeOffset());

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToWire());
}
