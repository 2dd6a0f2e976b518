using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Lumora.Api.GraphQL;

/// <summary>
/// Schema descriptions from the XML documentation that every public member has anyway; <c>[Description]</c> overrides.
/// The documentation file lies beside its assembly; without it the schema works and has fewer descriptions.
/// </summary>
internal static partial class XmlDescriptions
{
    // Read-only after it is filled, and the same for every schema in the process.
    private static readonly ConcurrentDictionary<Assembly, IReadOnlyDictionary<string, XElement>> s_files = new();

    public static string? Of(Type type) => Summary(type.Assembly, "T:" + Id(type));

    /// <summary>A member's summary; for a property of a positional record, the text of its parameter.</summary>
    public static string? Of(MemberInfo member)
    {
        var type = member.DeclaringType!;
        return member switch
        {
            MethodInfo => Text(Method(member)?.Element("summary")),
            PropertyInfo => Summary(type.Assembly, $"P:{Id(type)}.{member.Name}")
                ?? Parameter(Find(type.Assembly, "T:" + Id(type)), member.Name),
            _ => Summary(type.Assembly, $"F:{Id(type)}.{member.Name}"),
        };
    }

    public static string? Of(ParameterInfo parameter) => Parameter(Method(parameter.Member), parameter.Name!);

    private static string Id(Type type) =>
        (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName!.Replace('+', '.');

    // Schema methods are not overloaded, so the name without the parameter list is enough.
    private static XElement? Method(MemberInfo method)
    {
        var id = $"M:{Id(method.DeclaringType!)}.{method.Name}";
        return Find(method.DeclaringType!.Assembly, id) ?? File(method.DeclaringType.Assembly)
            .FirstOrDefault(entry => entry.Key.StartsWith(id + "(", StringComparison.Ordinal)).Value;
    }

    private static string? Parameter(XElement? member, string name) =>
        Text(member?.Elements("param").FirstOrDefault(p => p.Attribute("name")?.Value == name));

    private static string? Summary(Assembly assembly, string id) => Text(Find(assembly, id)?.Element("summary"));

    private static XElement? Find(Assembly assembly, string id) => File(assembly).GetValueOrDefault(id);

    private static IReadOnlyDictionary<string, XElement> File(Assembly assembly) => s_files.GetOrAdd(assembly, a =>
    {
        var path = Path.Combine(AppContext.BaseDirectory, a.GetName().Name + ".xml");
        return !System.IO.File.Exists(path)
            ? new Dictionary<string, XElement>(StringComparer.Ordinal)
            : XDocument.Load(path).Descendants("member")
                .ToDictionary(m => m.Attribute("name")!.Value, StringComparer.Ordinal);
    });

    private static string? Text(XElement? element)
    {
        if (element is null)
            return null;
        var text = string.Concat(element.Nodes().Select(Inline));
        return Whitespace().Replace(text, " ").Trim() is { Length: > 0 } trimmed ? trimmed : null;
    }

    private static string Inline(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement element when element.Attribute("cref") is { } cref => cref.Value.Split('.', ':')[^1].Split('`')[0],
        XElement element when element.Attribute("name") is { } name => name.Value,
        XElement element => string.Concat(element.Nodes().Select(Inline)),
        _ => "",
    };

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Whitespace();
}
