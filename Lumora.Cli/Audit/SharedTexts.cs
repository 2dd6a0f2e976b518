using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Cli.Audit;

/// <summary>
/// Reads the codes, assets and kinds of ledger events as one string each, however often they come: an audit keeps every transaction,
/// and the same few thousand names stand in all of them.
/// </summary>
internal sealed class SharedTexts : JsonConverter<string>
{
    private const int Slots = 1 << 16;

    private static readonly HashSet<string> Members = new(["from", "to", "code", "asset", "kind", "type"], StringComparer.Ordinal);

    // Of two texts with one place the later one stays.
    private readonly string?[] _texts = new string?[Slots];

    /// <summary>As <see cref="WireJson.Events"/>, with shared texts.</summary>
    public static JsonSerializerOptions Events { get; } = new(WireJson.Events)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver().WithAddedModifier(new SharedTexts().Share),
    };

    /// <inheritdoc/>
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String || reader.ValueIsEscaped || reader.HasValueSequence)
            return reader.GetString();
        var text = reader.ValueSpan;
        var hash = new HashCode();
        hash.AddBytes(text);
        // Looked at once: another thread may put another text there.
        ref var slot = ref _texts[hash.ToHashCode() & (Slots - 1)];
        return slot is { } known && Ascii.Equals(text, known) ? known : slot = reader.GetString();
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

    private void Share(JsonTypeInfo type)
    {
        if (type.Type.Namespace != typeof(Posting).Namespace)
            return;
        foreach (var member in type.Properties.Where(member => member.PropertyType == typeof(string) && Members.Contains(member.Name)))
            member.CustomConverter = this;
    }
}
