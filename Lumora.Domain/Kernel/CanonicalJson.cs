using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lumora.Domain.Kernel;

/// <summary>
/// The JSON Canonicalization Scheme (RFC 8785): one spelling for each value, so that it can be hashed and signed.
/// Keys ordered by UTF-16 code units, numbers as ECMAScript prints an IEEE 754 double, no white space, UTF-8.
/// Refused with <see cref="FormatException"/>: duplicate keys, lone surrogates, invalid UTF-8, numbers beyond a
/// double, trailing bytes. An integer beyond 2⁵³ loses digits as RFC 8785 §3.2.2.3 says: our 64-bit integers are
/// strings for that reason.
/// </summary>
public static class CanonicalJson
{
    internal const long ExactIntegerMax = 1L << 53;

    /// <summary>The canonical bytes of <paramref name="json"/>, one JSON value in UTF-8.</summary>
    /// <exception cref="FormatException">The text is no JSON, or has no canonical form.</exception>
    public static byte[] Canonicalize(ReadOnlySpan<byte> json)
    {
        var buffer = new ArrayBufferWriter<byte>(Math.Max(64, json.Length));
        Write(json, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>True when <paramref name="json"/> is its own canonical form.</summary>
    /// <exception cref="FormatException">The text is no JSON, or has no canonical form.</exception>
    internal static bool IsCanonical(ReadOnlySpan<byte> json)
    {
        try
        {
            if (CanonicalText.TryCompare(json, out var same))
                return same;
        }
        catch (JsonException exception)
        {
            throw NoJson(exception);
        }

        return Canonicalize(json).AsSpan().SequenceEqual(json);
    }

    /// <summary>The canonical bytes of <paramref name="value"/>.</summary>
    /// <exception cref="FormatException">The value has no canonical form.</exception>
    public static byte[] Canonicalize(JsonElement value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Write(value, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The canonical bytes of <paramref name="value"/> in the dialect of <see cref="WireJson"/>.</summary>
    public static byte[] Serialize<T>(T value) => Canonicalize(JsonSerializer.SerializeToElement(value, WireJson.Events));

    /// <summary>Writes the canonical bytes of <paramref name="json"/> to <paramref name="output"/>.</summary>
    /// <exception cref="FormatException">The text is no JSON, or has no canonical form.</exception>
    public static void Write(ReadOnlySpan<byte> json, IBufferWriter<byte> output)
    {
        try
        {
            if (CanonicalText.TryWrite(json, output))
                return;
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            // ParseValue stops behind the first value; anything but white space after it is an error.
            if (reader.Read())
                throw new FormatException("Bytes follow the JSON value.");
            Write(document.RootElement, output);
        }
        catch (JsonException exception)
        {
            throw NoJson(exception);
        }
    }

    /// <summary>Writes the canonical bytes of <paramref name="value"/> to <paramref name="output"/>.</summary>
    /// <exception cref="FormatException">The value has no canonical form.</exception>
    public static void Write(JsonElement value, IBufferWriter<byte> output)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(value, output);
                break;
            case JsonValueKind.Array:
                WriteArray(value, output);
                break;
            case JsonValueKind.String:
                WriteText(TextOf(value), output);
                break;
            case JsonValueKind.Number:
                WriteNumber(value, output);
                break;
            case JsonValueKind.True:
                output.Write("true"u8);
                break;
            case JsonValueKind.False:
                output.Write("false"u8);
                break;
            case JsonValueKind.Null:
                output.Write("null"u8);
                break;
            default:
                throw new FormatException("An undefined JSON value has no canonical form.");
        }
    }

    /// <summary>Writes <paramref name="text"/> as a canonical JSON string, quotes included (RFC 8785 §3.2.2.2).</summary>
    /// <exception cref="FormatException">The text holds a lone surrogate.</exception>
    public static void WriteText(string text, IBufferWriter<byte> output)
    {
        // 6 bytes for each escaped control character, 3 for any other UTF-16 code unit, 2 quotes.
        var span = output.GetSpan(checked((text.Length * 6) + 2));
        var length = 0;
        span[length++] = (byte)'"';
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is >= ' ' and < (char)0x80 and not '"' and not '\\')
                span[length++] = (byte)c;
            else if (c < 0x80)
                length += Escape(c, span[length..]);
            else if (Rune.TryGetRuneAt(text, i, out var rune))
            {
                length += rune.EncodeToUtf8(span[length..]);
                i += rune.Utf16SequenceLength - 1;
            }
            else
                throw new FormatException($"A lone surrogate U+{(int)c:X4} has no canonical form.");
        }

        span[length++] = (byte)'"';
        output.Advance(length);
    }

    private static FormatException NoJson(JsonException exception) => new($"Not a JSON value: {exception.Message}", exception);

    private static int Escape(char c, Span<byte> output)
    {
        output[0] = (byte)'\\';
        output[1] = c switch
        {
            '"' => (byte)'"',
            '\\' => (byte)'\\',
            '\b' => (byte)'b',
            '\t' => (byte)'t',
            '\n' => (byte)'n',
            '\f' => (byte)'f',
            '\r' => (byte)'r',
            // U+007F is no control character in JSON: it stands for itself and never comes here.
            _ => (byte)'u',
        };
        if (output[1] != (byte)'u')
            return 2;
        ((int)c).TryFormat(output[2..], out _, "x4", CultureInfo.InvariantCulture);
        return 6;
    }

    private static void WriteObject(JsonElement value, IBufferWriter<byte> output)
    {
        var members = new List<(string Name, JsonElement Value)>();
        foreach (var property in value.EnumerateObject())
            members.Add((NameOf(property), property.Value));
        // RFC 8785 §3.2.3: keys are compared as arrays of UTF-16 code units, which is what "ordinal" does.
        members.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        output.Write("{"u8);
        for (var i = 0; i < members.Count; i++)
        {
            if (i > 0 && string.Equals(members[i - 1].Name, members[i].Name, StringComparison.Ordinal))
                throw new FormatException($"The key \"{members[i].Name}\" stands twice in one object.");
            if (i > 0)
                output.Write(","u8);
            WriteText(members[i].Name, output);
            output.Write(":"u8);
            Write(members[i].Value, output);
        }

        output.Write("}"u8);
    }

    private static void WriteArray(JsonElement value, IBufferWriter<byte> output)
    {
        output.Write("["u8);
        var first = true;
        foreach (var item in value.EnumerateArray())
        {
            if (!first)
                output.Write(","u8);
            first = false;
            Write(item, output);
        }

        output.Write("]"u8);
    }

    private static void WriteNumber(JsonElement value, IBufferWriter<byte> output)
    {
        if (value.TryGetInt64(out var integer) && integer is >= -ExactIntegerMax and <= ExactIntegerMax)
        {
            var span = output.GetSpan(20);
            integer.TryFormat(span, out var length, provider: CultureInfo.InvariantCulture);
            output.Advance(length);
            return;
        }

        output.Write(Encoding.ASCII.GetBytes(EcmaScriptNumber.Format(value.GetDouble())));
    }

    // JsonElement defers the check of escapes and UTF-8 to the moment when the text is asked for.
    private static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw new FormatException("A string is not valid Unicode (a lone surrogate or invalid UTF-8).", exception);
        }
    }

    private static string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException exception)
        {
            throw new FormatException("A key is not valid Unicode (a lone surrogate or invalid UTF-8).", exception);
        }
    }
}
