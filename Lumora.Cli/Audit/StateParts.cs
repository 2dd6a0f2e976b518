using System.Text.Json;
using Lumora.Domain.Kernel;

namespace Lumora.Cli.Audit;

/// <summary>How the parts of an audit's state are written.</summary>
internal static class StateParts
{
    /// <summary>A list: its length and each item by <paramref name="write"/>.</summary>
    public static void WriteList<T>(this BinaryWriter output, IReadOnlyCollection<T> items, Action<T> write)
    {
        output.Write7BitEncodedInt(items.Count);
        foreach (var item in items)
            write(item);
    }

    /// <summary>Reads a list back, from a stream that knows its length: each item has a byte at least.</summary>
    /// <exception cref="InvalidDataException">It says that it has more items than there can be.</exception>
    public static List<T> ReadList<T>(this BinaryReader input, Func<T> read)
    {
        var count = input.Read7BitEncodedInt();
        if (count < 0 || count > input.BaseStream.Length - input.BaseStream.Position)
            throw new InvalidDataException($"A list has {count} items, more than bytes follow.");
        var items = new List<T>(count);
        for (var i = 0; i < count; i++)
            items.Add(read());
        return items;
    }

    /// <summary>Small things of many members, as the JSON of events.</summary>
    public static void WriteJson<T>(this BinaryWriter output, T value) => output.Write(JsonSerializer.Serialize(value, WireJson.Events));

    /// <summary>Reads <see cref="WriteJson"/> back.</summary>
    public static T ReadJson<T>(this BinaryReader input) =>
        JsonSerializer.Deserialize<T>(input.ReadString(), WireJson.Events) ?? throw new InvalidDataException("Nothing stands where something must.");

    /// <summary>16 bytes.</summary>
    public static void WriteGuid(this BinaryWriter output, Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes);
        output.Write(bytes);
    }

    /// <summary>Reads 16 bytes back.</summary>
    public static Guid ReadGuid(this BinaryReader input)
    {
        Span<byte> bytes = stackalloc byte[16];
        input.BaseStream.ReadExactly(bytes);
        return new Guid(bytes);
    }
}
