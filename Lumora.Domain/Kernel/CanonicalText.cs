using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Lumora.Domain.Kernel;

/// <summary>
/// Canonical JSON straight from UTF-8 to UTF-8, for the many values of the log: members are written one behind the other
/// and put into their order in place, without a tree of elements. Declines what it does not know how to order (keys
/// beyond plain ASCII); the caller then takes the way over elements, which says the same about everything else.
/// </summary>
internal ref struct CanonicalText
{
    private const int MembersFirst = 32;

    private Utf8JsonReader _reader;
    private byte[] _bytes;
    private int _length;
    private Member[] _members;
    private int _memberCount;

    private CanonicalText(ReadOnlySpan<byte> json)
    {
        _reader = new Utf8JsonReader(json);
        _bytes = ArrayPool<byte>.Shared.Rent(Math.Max(64, json.Length));
        _members = ArrayPool<Member>.Shared.Rent(MembersFirst);
    }

    /// <summary>Writes the canonical bytes of <paramref name="json"/>; false, and nothing written, when it declines.</summary>
    /// <exception cref="FormatException">A key stands twice, a text is not valid Unicode, or a number is beyond a double.</exception>
    /// <exception cref="JsonException">The text is no JSON value.</exception>
    public static bool TryWrite(ReadOnlySpan<byte> json, IBufferWriter<byte> output)
    {
        using var text = new CanonicalText(json);
        if (!text.TryAll())
            return false;
        output.Write(text.Written);
        return true;
    }

    /// <summary>Says whether <paramref name="json"/> is canonical as it stands; false when it declines. Throws as <see cref="TryWrite"/> does.</summary>
    public static bool TryCompare(ReadOnlySpan<byte> json, out bool same)
    {
        using var text = new CanonicalText(json);
        var done = text.TryAll();
        same = done && text.Written.SequenceEqual(json);
        return done;
    }

    /// <summary>Gives its buffers back.</summary>
    public readonly void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        ArrayPool<Member>.Shared.Return(_members);
    }

    private readonly ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    private bool TryAll()
    {
        _reader.Read();
        if (!TryValue())
            return false;
        return !_reader.Read() ? true : throw new FormatException("Bytes follow the JSON value.");
    }

    // The reader refuses what is nested deeper than 64, which bounds the recursion.
    private bool TryValue()
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return TryObject();
            case JsonTokenType.StartArray:
                return TryArray();
            case JsonTokenType.String:
                Text();
                return true;
            case JsonTokenType.Number:
                Number();
                return true;
            default:
                Add(_reader.ValueSpan);
                return true;
        }
    }

    private bool TryObject()
    {
        var (begin, first) = (_length, _memberCount);
        Add((byte)'{');
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            // Of plain ASCII the order of the bytes is the order of the UTF-16 code units.
            var name = _reader.ValueSpan;
            if (_reader.ValueIsEscaped || !Ascii.IsValid(name))
                return false;
            if (_memberCount > first)
                Add((byte)',');
            var start = _length;
            Add((byte)'"');
            Add(name);
            Add("\":"u8);
            _reader.Read();
            if (!TryValue())
                return false;
            Add(new Member(start, name.Length, _length - start));
        }

        Sort(begin, _members.AsSpan(first, _memberCount - first));
        _memberCount = first;
        Add((byte)'}');
        return true;
    }

    private bool TryArray()
    {
        Add((byte)'[');
        for (var first = true; _reader.Read() && _reader.TokenType != JsonTokenType.EndArray; first = false)
        {
            if (!first)
                Add((byte)',');
            if (!TryValue())
                return false;
        }

        Add((byte)']');
        return true;
    }

    private void Sort(int begin, Span<Member> members)
    {
        if (!IsSorted(members))
        {
            var bytes = _bytes;
            members.Sort((a, b) => a.NameIn(bytes).SequenceCompareTo(b.NameIn(bytes)));
            var length = _length - begin;
            var unsorted = ArrayPool<byte>.Shared.Rent(length);
            bytes.AsSpan(begin, length).CopyTo(unsorted);
            var next = begin + 1;
            for (var i = 0; i < members.Length; i++)
            {
                if (i > 0)
                    bytes[next++] = (byte)',';
                var member = members[i];
                unsorted.AsSpan(member.Start - begin, member.Length).CopyTo(bytes.AsSpan(next));
                members[i] = member with { Start = next };
                next += member.Length;
            }

            ArrayPool<byte>.Shared.Return(unsorted);
        }

        for (var i = 1; i < members.Length; i++)
        {
            if (members[i].NameIn(_bytes).SequenceEqual(members[i - 1].NameIn(_bytes)))
                throw new FormatException($"The key \"{Encoding.ASCII.GetString(members[i].NameIn(_bytes))}\" stands twice in one object.");
        }
    }

    private readonly bool IsSorted(ReadOnlySpan<Member> members)
    {
        for (var i = 1; i < members.Length; i++)
        {
            if (members[i - 1].NameIn(_bytes).SequenceCompareTo(members[i].NameIn(_bytes)) > 0)
                return false;
        }

        return true;
    }

    private void Text()
    {
        var text = _reader.ValueSpan;
        if (_reader.ValueIsEscaped)
        {
            var written = new ArrayBufferWriter<byte>((text.Length * 3) + 2);
            CanonicalJson.WriteText(Unescaped(), written);
            Add(written.WrittenSpan);
            return;
        }

        // Unescaped, the reader has let no quote, backslash or control character through: such a text is its own spelling.
        if (!Utf8.IsValid(text))
            throw new FormatException("A string is not valid Unicode (a lone surrogate or invalid UTF-8).");
        Add((byte)'"');
        Add(text);
        Add((byte)'"');
    }

    private readonly string Unescaped()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw new FormatException("A string is not valid Unicode (a lone surrogate or invalid UTF-8).", exception);
        }
    }

    private void Number()
    {
        if (_reader.TryGetInt64(out var integer) && integer is >= -CanonicalJson.ExactIntegerMax and <= CanonicalJson.ExactIntegerMax)
        {
            Span<byte> digits = stackalloc byte[20];
            integer.TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
            Add(digits[..length]);
            return;
        }

        Add(Encoding.ASCII.GetBytes(EcmaScriptNumber.Format(_reader.GetDouble())));
    }

    private void Add(byte value)
    {
        Reserve(1);
        _bytes[_length++] = value;
    }

    private void Add(scoped ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Add(Member member)
    {
        if (_memberCount == _members.Length)
            _members = Grown(_members, _memberCount, _memberCount * 2);
        _members[_memberCount++] = member;
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - _length < count)
            _bytes = Grown(_bytes, _length, Math.Max(_bytes.Length * 2, _length + count));
    }

    private static T[] Grown<T>(T[] items, int count, int capacity)
    {
        var grown = ArrayPool<T>.Shared.Rent(capacity);
        items.AsSpan(0, count).CopyTo(grown);
        ArrayPool<T>.Shared.Return(items);
        return grown;
    }

    /// <summary>A member as it was written.</summary>
    /// <param name="Start">Where its key's quote stands.</param>
    /// <param name="NameLength">Bytes of its key.</param>
    /// <param name="Length">Bytes of key and value.</param>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Member(int Start, int NameLength, int Length)
    {
        public ReadOnlySpan<byte> NameIn(byte[] bytes) => bytes.AsSpan(Start + 1, NameLength);
    }
}
