using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Tests.Kernel;

/// <summary>The released events, held against <c>docs/events.md</c>: what changes there is a broken promise.</summary>
public sealed class EventContractsSpecs
{
    [Fact]
    public void Stored_names_are_unique_and_in_snake_case()
    {
        Assert.NotEmpty(EventCatalog.All);
        Assert.Equal(EventCatalog.All.Count, EventCatalog.All.Select(contract => contract.Name).Distinct().Count());
        Assert.All(EventCatalog.All, contract => Assert.Matches("^[a-z][a-z0-9]*(_[a-z0-9]+)*$", contract.Name));
    }

    [Fact]
    public void Events_are_sealed_records()
    {
        Assert.All(EventCatalog.All, contract => Assert.True(
            contract.Type.IsSealed && contract.Type.GetMethod("<Clone>$") is not null, contract.Type.FullName));
    }

    [Fact]
    public void No_event_holds_a_floating_point_number()
    {
        Type[] floating = [typeof(float), typeof(double), typeof(decimal)];
        Assert.All(EventCatalog.All, contract => Assert.DoesNotContain(
            Fields(contract.Type), field => floating.Contains(Nullable.GetUnderlyingType(field.PropertyType) ?? field.PropertyType)));
    }

    /// <summary>With <c>LUMORA_UPDATE_SCHEMA=1</c> the page is written anew.</summary>
    [Fact]
    public void The_page_of_events_says_what_the_code_does()
    {
        var page = Path.Combine(RepositoryFolder(), "docs", "events.md");
        var printed = Print();
        if (Environment.GetEnvironmentVariable("LUMORA_UPDATE_SCHEMA") == "1")
            File.WriteAllText(page, printed);
        Assert.Equal(printed, File.ReadAllText(page));
    }

    private static string Print()
    {
        var summaries = Summaries();
        var page = new StringBuilder()
            .Append("# Events\n\n")
            .Append("Generated from the code and compared by a test. Every event is a leaf of the log (see leaf.md); its name is the\n")
            .Append("leaf's `type`. Released contracts never change: a new need gets a new event or an upcaster. 64-bit integers and\n")
            .Append("amounts are JSON strings, times are UTC with six decimals, enumerations are\n")
            .Append("snake_case names, absent fields are left out.\n");
        foreach (var slice in EventCatalog.All.GroupBy(contract => contract.Type.Namespace!.Split('.')[^1])
                     .OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {slice.Key}\n");
            foreach (var (type, name) in slice)
            {
                page.Append(CultureInfo.InvariantCulture, $"\n### `{name}`\n\n");
                if (summaries.TryGetValue($"T:{type.FullName}", out var summary))
                    page.Append(summary).Append("\n\n");
                page.Append("| field | type | meaning |\n| --- | --- | --- |\n");
                foreach (var field in Fields(type))
                {
                    var meaning = summaries.GetValueOrDefault($"T:{type.FullName}/{field.Name}", "");
                    page.Append(CultureInfo.InvariantCulture, $"| `{Wire(field.Name)}` | {TypeName(field)} | {meaning} |\n");
                }
            }
        }

        return page.ToString();
    }

    private static IEnumerable<PropertyInfo> Fields(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.Name != "EqualityContract" && property.GetMethod is not null)
            .OrderBy(property => property.MetadataToken);

    private static string Wire(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);

    private static string TypeName(PropertyInfo field)
    {
        var optional = new NullabilityInfoContext().Create(field).ReadState == NullabilityState.Nullable;
        return Name(Nullable.GetUnderlyingType(field.PropertyType) ?? field.PropertyType) + (optional ? ", optional" : "");

        static string Name(Type type) => type switch
        {
            _ when type == typeof(string) => "text",
            _ when type == typeof(long) || type == typeof(ulong) => "64-bit integer",
            _ when type == typeof(int) || type == typeof(short) || type == typeof(byte) => "integer",
            _ when type == typeof(bool) => "boolean",
            _ when type == typeof(DateTimeOffset) => "time",
            _ when type == typeof(Amount) => "amount",
            _ when type.IsEnum => string.Join(" \\| ", Enum.GetNames(type).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)),
            _ when type.IsArray => $"list of {Name(type.GetElementType()!)}",
            _ when type.IsGenericType && type.GetGenericArguments() is [var item] => $"list of {Name(item)}",
            _ when type.IsGenericType && type.GetGenericArguments() is [_, var value] => $"map of text to {Name(value)}",
            _ => $"`{type.Name}`",
        };
    }

    // Keys: "T:Full.Name" for a type's summary, "T:Full.Name/Field" for what its parameter documentation says.
    private static Dictionary<string, string> Summaries()
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in XDocument
                     .Load(Path.ChangeExtension(typeof(EventCatalog).Assembly.Location, ".xml")).Descendants("member"))
        {
            var name = member.Attribute("name")!.Value;
            if (member.Element("summary") is { } summary)
                texts[name] = OneLine(summary);
            foreach (var parameter in member.Elements("param"))
                texts[$"{name}/{parameter.Attribute("name")!.Value}"] = OneLine(parameter);
        }

        return texts;
    }

    private static string OneLine(XElement element) =>
        string.Join(' ', Text(element).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Replace("|", "\\|", StringComparison.Ordinal);

    private static string Text(XElement element) => string.Concat(element.Nodes().Select(node => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement { Name.LocalName: "see" } see =>
            $"`{(see.Attribute("cref") ?? see.Attribute("langword"))?.Value.Split('.')[^1]}`",
        XElement { Name.LocalName: "paramref" } parameter => $"`{Wire(parameter.Attribute("name")!.Value)}`",
        XElement other => Text(other),
        _ => "",
    }));

    private static string RepositoryFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lumora.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run outside the repository.");
    }
}
