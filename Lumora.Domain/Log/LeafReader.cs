using System.Globalization;
using System.Text;
using System.Text.Json;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Log;

/// <summary>Reads the members of a leaf in one pass: canonical JSON has them in one order.</summary>
internal ref struct LeafReader(ReadOnlyMemory<byte> canonical)
{
    private const string OtherMeta = "The leaf's meta has other members than version 1.";

    // One entry after the other is of the same shard, and often of the same stream, type and actor.
    [ThreadStatic]
    private static string? t_actor;

    [ThreadStatic]
    private static string? t_shard;

    [ThreadStatic]
    private static string? t_stream;

    [ThreadStatic]
    private static string? t_type;

    private Utf8JsonReader _reader = new(canonical.Span);

    /// <summary>The leaf.</summary>
    /// <exception cref="FormatException">The bytes are no leaf of version 1; the message says why.</exception>
    public DecodedLeaf Read()
    {
        _reader.Read();
        if (_reader.TokenType != JsonTokenType.StartObject)
            throw NotVersion1();
        Member("at"u8);
        var at = Time();
        Member("data"u8);
        var begin = (int)_reader.TokenStartIndex;
        _reader.Skip();
        var data = canonical[begin..(int)_reader.BytesConsumed];
        Member("id"u8);
        var id = Id();
        Member("meta"u8);
        if (_reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException(OtherMeta);
        Member("actor"u8, OtherMeta);
        var actor = _reader.TokenType == JsonTokenType.Null ? null : Text("actor", ref t_actor);
        Member("causation"u8, OtherMeta);
        var causation = OptionalText("causation");
        End(OtherMeta);
        Member("shard"u8);
        var shard = Text("shard", ref t_shard);
        Member("stream"u8);
        var stream = Text("stream", ref t_stream);
        Member("type"u8);
        var type = Text("type", ref t_type);
        Member("v"u8);
        if (!_reader.ValueSpan.SequenceEqual("1"u8) || _reader.TokenType != JsonTokenType.Number)
            throw NotVersion1();
        Member("version"u8);
        var version = Version();
        End();
        return new DecodedLeaf(new Leaf(shard, stream, version, id, type, at, actor, causation), data);
    }

    private static FormatException NotVersion1() => new("The leaf does not say \"v\":1.");

    /// <summary>Goes on to the value of the next member, which must have this name.</summary>
    private void Member(ReadOnlySpan<byte> name, string? otherwise = null)
    {
        _reader.Read();
        if (_reader.TokenType != JsonTokenType.PropertyName || !_reader.ValueTextEquals(name))
            throw Other(otherwise);
        _reader.Read();
    }

    private void End(string? otherwise = null)
    {
        _reader.Read();
        if (_reader.TokenType != JsonTokenType.EndObject)
            throw Other(otherwise);
    }

    // A later version will have others, and its number says more about it.
    private readonly FormatException Other(string? reason)
    {
        using var leaf = JsonDocument.Parse(canonical);
        return leaf.RootElement.TryGetProperty("v", out var version) && version.GetRawText() == "1"
            ? new FormatException(reason ?? "The leaf has other members than version 1.")
            : NotVersion1();
    }

    private readonly DateTimeOffset Time()
    {
        Span<char> text = stackalloc char[Moment.WireLength];
        return _reader.TokenType == JsonTokenType.String && _reader.ValueSpan.Length == text.Length
            && Encoding.UTF8.TryGetChars(_reader.ValueSpan, text, out var length)
            && DateTimeOffset.TryParseExact(
                text[..length], Moment.WireFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                ? at
                : throw new FormatException("The leaf's time is not UTC with 6 decimals.");
    }

    // .NET reads upper case and outer spaces too: one event has one leaf.
    private readonly Guid Id()
    {
        Span<byte> again = stackalloc byte[Leaf.IdLength];
        return _reader.TokenType == JsonTokenType.String && _reader.TryGetGuid(out var id)
            && id.TryFormat(again, out _, "D") && again.SequenceEqual(_reader.ValueSpan)
                ? id
                : throw new FormatException("The leaf's id is no UUID in lower case.");
    }

    private readonly long Version() =>
        _reader.TokenType == JsonTokenType.Number && _reader.TryGetInt64(out var number) && number is >= 1 and <= Leaf.VersionMax
            ? number
            : throw new FormatException("The leaf's version is no number from 1 to 2⁵³.");

    private readonly string Text(string name, ref string? last)
    {
        if (last is not null && _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals(last))
            return last;
        return last = OptionalText(name) ?? throw new FormatException($"The leaf's {name} is missing.");
    }

    private readonly string? OptionalText(string name) => _reader.TokenType switch
    {
        JsonTokenType.String => _reader.GetString(),
        JsonTokenType.Null => null,
        _ => throw new FormatException($"The leaf's {name} is no text."),
    };
}
