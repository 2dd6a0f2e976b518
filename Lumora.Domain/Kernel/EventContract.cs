using System.Reflection;

namespace Lumora.Domain.Kernel;

/// <summary>
/// Marks a released event. <paramref name="name"/> is the stored type name and the leaf's <c>type</c>: it never
/// changes, nor does the record's shape; what differs gets a new event or an upcaster.
/// </summary>
/// <param name="name">snake_case, past tense, unique, for example <c>transaction_posted</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class EventContractAttribute(string name) : Attribute
{
    /// <summary>The stored type name.</summary>
    public string Name { get; } = name;
}

/// <summary>All event contracts of the domain, by their stored names.</summary>
public static class EventCatalog
{
    /// <summary>Every event type of this assembly with its stored name, ordered by name.</summary>
    public static IReadOnlyList<(Type Type, string Name)> All { get; } =
    [
        .. typeof(EventCatalog).Assembly.GetTypes()
            .Select(type => (Type: type, Contract: type.GetCustomAttribute<EventContractAttribute>()))
            .Where(pair => pair.Contract is not null)
            .Select(pair => (pair.Type, pair.Contract!.Name))
            .OrderBy(pair => pair.Name, StringComparer.Ordinal),
    ];
}
