using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;

namespace Lumora.Domain.Tests.Kernel;

/// <summary>Enums inside events, at any depth, are snake_case whatever converters a serializer brings first.</summary>
public sealed class EventEnumsSpecs
{
    [Fact]
    public void Every_enum_inside_an_event_carries_the_wire_converter()
    {
        var (enums, faults) = Walk(EventCatalog.All.Select(contract => contract.Type));
        Assert.Contains("RoleGranted.Role", enums);
        Assert.Contains("ExtractionRule.Type", enums);
        Assert.Empty(faults);
    }

    [Fact]
    public void An_enum_without_the_converter_is_found_wherever_it_hides()
    {
        var (_, faults) = Walk([typeof(Careless)]);
        Assert.Equal(["Careless.Direct", "Careless.Listed", "Inner.Deep"], faults.Order());
    }

    [Fact]
    public void The_converter_wins_over_converters_of_the_options_and_refuses_numbers()
    {
        var options = new JsonSerializerOptions { Converters = { new JsonStringEnumConverter() } };
        var rule = new ExtractionRule("price", ".price", null, FieldType.Integer);
        Assert.Contains("\"Type\":\"integer\"", JsonSerializer.Serialize(rule, options), StringComparison.Ordinal);
        Assert.Contains("\"type\":\"integer\"", JsonSerializer.Serialize(rule, WireJson.Messages), StringComparison.Ordinal);
        Assert.Equal(rule, JsonSerializer.Deserialize<ExtractionRule>(JsonSerializer.Serialize(rule, options), options));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<ExtractionRule>(
            """{"field":"price","selector":".price","type":2}""", WireJson.Messages));
    }

    private static (List<string> Enums, List<string> Faults) Walk(IEnumerable<Type> roots)
    {
        var (enums, faults, seen, waiting) = (new List<string>(), new List<string>(), new HashSet<Type>(), new Queue<Type>(roots));
        while (waiting.TryDequeue(out var type))
        {
            if (!seen.Add(type))
                continue;
            foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(IsWritten))
            {
                var direct = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
                foreach (var part in Parts(direct))
                {
                    if (part.IsEnum)
                    {
                        enums.Add($"{type.Name}.{property.Name}");
                        // A converter on a list's property would stand for the list, so an enum in one is a fault too.
                        if (part != direct || Converter(property) != typeof(WireEnumConverter<>).MakeGenericType(part))
                            faults.Add($"{type.Name}.{property.Name}");
                    }
                    else if (part.Namespace?.StartsWith("Lumora.", StringComparison.Ordinal) == true && Converter(part) is null)
                        waiting.Enqueue(part);
                }
            }
        }

        return (enums, faults);
    }

    private static bool IsWritten(PropertyInfo property) =>
        property.GetIndexParameters().Length == 0 && property.GetCustomAttribute<JsonIgnoreAttribute>() is null;

    private static Type? Converter(MemberInfo member) => member.GetCustomAttribute<JsonConverterAttribute>()?.ConverterType;

    // The type itself, or what its lists and maps hold.
    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.IsArray)
            return Parts(type.GetElementType()!);
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Parts(value);
        return type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts) : [type];
    }

    private sealed record Inner(FieldType Deep);

    private sealed record Careless(
        FieldType Direct,
        IReadOnlyList<FieldType> Listed,
        IReadOnlyDictionary<string, Inner[]> Nested,
        [property: JsonConverter(typeof(WireEnumConverter<FieldType>))] FieldType? Good);
}
