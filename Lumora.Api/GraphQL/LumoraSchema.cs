using System.Reflection;
using GraphQL.DI;
using GraphQL.Types;

namespace Lumora.Api.GraphQL;

/// <summary>The classes whose static methods are the root fields; tests give their own.</summary>
/// <param name="Query">Required.</param>
/// <param name="Mutation">Left out of the schema while it has no methods.</param>
internal sealed record SchemaRoots(Type Query, Type Mutation);

/// <summary>The schema: type-first, the root types' methods and what they reach.</summary>
internal sealed class LumoraSchema : Schema
{
    public LumoraSchema(IServiceProvider services, SchemaRoots roots, IEnumerable<IConfigureSchema> configurations)
        : base(services, configurations)
    {
        Description = "The API of a Lumora network: bandwidth, datasets, money and the public log.";
        // Tools ask for these parts of introspection, which the library leaves out by default.
        Features.DeprecationOfInputValues = true;
        Features.RepeatableDirectives = true;
        Query = Root(roots.Query, "Query");
        if (roots.Mutation.GetMethods(BindingFlags.Public | BindingFlags.Static).Length > 0)
            Mutation = Root(roots.Mutation, "Mutation");
        RegisterVisitor(new AccessIsDeclared());
    }

    private static IObjectGraphType Root(Type type, string name)
    {
        var graph = (IObjectGraphType)Activator.CreateInstance(typeof(ClrObject<>).MakeGenericType(type))!;
        graph.Name = name;
        return graph;
    }
}
