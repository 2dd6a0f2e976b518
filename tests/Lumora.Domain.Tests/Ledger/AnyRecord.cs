using System.Collections;
using System.Reflection;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tests.Ledger;

/// <summary>Random records of any shape, so that a new command or event is tested without a line about it.</summary>
internal sealed class AnyRecord(int seed)
{
    private static readonly string[] Texts = ["", "x", "network/fees", "zwei Wörter", "\"\\\n\u2028", "😀", "null"];
    private static readonly long[] Numbers = [long.MinValue, -1, 0, 1, 1L << 53, long.MaxValue];
    private readonly Random _random = new(seed);

    public int Next(int below) => _random.Next(below);

    public string Text() => OneOf(Texts) + OneOf(Texts);

    public T OneOf<T>(IReadOnlyList<T> values) => values[_random.Next(values.Count)];

    /// <summary>A random value of <paramref name="type"/>; the optional is sometimes absent.</summary>
    public object Of(Type type)
    {
        if (type == typeof(string))
            return Text();
        if (type == typeof(long))
            return OneOf(Numbers);
        if (type == typeof(int))
            return (int)(uint)_random.Next();
        if (type == typeof(bool))
            return _random.Next(2) == 0;
        if (type == typeof(Amount))
            // A few of them have a sum.
            return new Amount((OneOf(Numbers) & long.MaxValue) / 16);
        if (type == typeof(TimeSpan))
            return new TimeSpan(_random.NextInt64(TimeSpan.TicksPerDay * 40));
        if (type == typeof(DateTimeOffset))
            return DateTimeOffset.UnixEpoch.AddMicroseconds(_random.NextInt64(4_000_000_000_000_000));
        if (type == typeof(SemVer))
            return new SemVer(Next(100), Next(100), Next(100));
        if (type == typeof(Sealed))
            return Sealed.Seal(new byte[Sealed.KeyLength], Text(), "wallet", Text(), nonce => nonce.Fill((byte)Next(256)));
        if (type == typeof(byte[]))
            return Enumerable.Range(0, Next(40)).Select(_ => (byte)Next(256)).ToArray();
        if (type.IsEnum)
            return OneOf(Enum.GetValues(type).Cast<object>().ToList());
        if (type.IsGenericType)
            return OfGeneric(type, type.GetGenericArguments());
        return OfRecord(type);
    }

    /// <summary>Fails unless both have the same type and the same parts.</summary>
    public static void AssertSame(object? expected, object? actual)
    {
        if (expected is null || actual is null || expected is string or Type || expected.GetType().IsPrimitive)
            Assert.Equal(expected, actual);
        else if (expected is IDictionary pairs)
            AssertSamePairs(pairs, (IDictionary)actual);
        else if (expected is IEnumerable list)
            AssertSameList([.. list.Cast<object>()], [.. ((IEnumerable)actual).Cast<object>()]);
        else if (expected.GetType().Assembly != typeof(EventCatalog).Assembly)
            Assert.Equal(expected, actual);
        else
            AssertSameRecord(expected, actual);
    }

    private static void AssertSamePairs(IDictionary expected, IDictionary actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (DictionaryEntry pair in expected)
            AssertSame(pair.Value, actual[pair.Key]);
    }

    private static void AssertSameList(List<object> expected, List<object> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
            AssertSame(expected[i], actual[i]);
    }

    private static void AssertSameRecord(object expected, object actual)
    {
        Assert.Equal(expected.GetType(), actual.GetType());
        foreach (var property in expected.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetIndexParameters().Length == 0)
                AssertSame(property.GetValue(expected), property.GetValue(actual));
        }
    }

    private object OfGeneric(Type type, Type[] arguments)
    {
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Of(value);
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(arguments[^1]))!;
        for (var i = Next(4); i > 0; i--)
            list.Add(Of(arguments[^1]));
        if (arguments.Length == 1)
            return list;
        var map = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(arguments))!;
        foreach (var item in list)
            map[$"{map.Count}{Text()}"] = item;
        return map;
    }

    private object OfRecord(Type type)
    {
        var constructor = type.GetConstructors().MaxBy(c => c.GetParameters().Length)!;
        var nullability = new NullabilityInfoContext();
        return constructor.Invoke(
        [
            .. constructor.GetParameters().Select(parameter =>
                nullability.Create(parameter).WriteState == NullabilityState.Nullable && Next(3) == 0 ? null : Of(parameter.ParameterType)),
        ]);
    }
}
