using System.Globalization;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Log;

namespace Lumora.Cli.Audit;

/// <summary>An entry of the log with its event, read at most once however many checks look at it.</summary>
/// <param name="index">Its place in the log.</param>
/// <param name="leaf">All but the data.</param>
/// <param name="data">The event's data as JSON, also where it is kept apart from the leaf.</param>
internal sealed class LoggedEvent(long index, Leaf leaf, ReadOnlyMemory<byte> data)
{
    private static readonly Dictionary<string, Type> Types =
        EventCatalog.All.ToDictionary(pair => pair.Name, pair => pair.Type, StringComparer.Ordinal);

    private JsonElement? _data;
    private bool _read;
    private object? _event;

    /// <summary>Its place in the log.</summary>
    public long Index { get; } = index;

    /// <summary>All but the data.</summary>
    public Leaf Leaf { get; } = leaf;

    /// <summary>The event's data.</summary>
    public JsonElement Data => _data ??= JsonElement.Parse(data.Span);

    /// <summary>Why the data is no event of its type; null while <see cref="Event"/> was not asked for or is one.</summary>
    public string? Fault { get; private set; }

    /// <summary>The event of the domain; null when its type is not known here or its data is none.</summary>
    public object? Event
    {
        get
        {
            if (!_read)
                Read();
            return _event;
        }
    }

    /// <summary>For messages: where it stands.</summary>
    public string Where =>
        string.Create(CultureInfo.InvariantCulture, $"entry {Index}, {Leaf.Stream} version {Leaf.Version} ({Leaf.Type})");

    /// <summary>The type of the events that are called <paramref name="name"/>, or null.</summary>
    public static Type? TypeOf(string name) => Types.GetValueOrDefault(name);

    private void Read()
    {
        _read = true;
        if (TypeOf(Leaf.Type) is not { } type)
            return;
        try
        {
            _event = JsonSerializer.Deserialize(data.Span, type, SharedTexts.Events);
            if (_event is null)
                Fault = $"its data is no {Leaf.Type}";
        }
        catch (Exception exception) when (exception is JsonException or FormatException or ArgumentException or InvalidOperationException)
        {
            Fault = $"its data is no {Leaf.Type}: {exception.Message}";
        }
    }
}
