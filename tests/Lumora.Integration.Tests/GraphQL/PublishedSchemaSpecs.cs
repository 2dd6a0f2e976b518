using GraphQL;
using GraphQL.Types;
using Lumora.Api.GraphQL;

namespace Lumora.Integration.Tests.GraphQL;

/// <summary>The schema that clients see. Rewrite docs/schema.graphql with LUMORA_UPDATE_SCHEMA=1.</summary>
public sealed class PublishedSchemaSpecs
{
    private static readonly string s_path = Path.Combine(Repository.Root, "docs", "schema.graphql");

    // The specification of GraphQL describes these.
    private static readonly HashSet<string> s_specified = ["Int", "Float", "String", "Boolean", "ID"];

    [Fact]
    public async Task The_printed_schema_is_the_one_in_docs()
    {
        await using var host = new SchemaHost(typeof(Query), typeof(Mutation));
        host.Schema.Initialize();
        var printed = host.Schema.Print(new() { IncludeDescriptions = true, StringComparison = StringComparison.Ordinal })
            .ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable("LUMORA_UPDATE_SCHEMA") == "1")
            await File.WriteAllTextAsync(s_path, printed, TestContext.Current.CancellationToken);

        var documented = await File.ReadAllTextAsync(s_path, TestContext.Current.CancellationToken);
        Assert.True(
            documented.ReplaceLineEndings("\n") == printed,
            "The schema changed. Look at the difference, then run this test with LUMORA_UPDATE_SCHEMA=1 and commit docs/schema.graphql.");
    }

    [Fact]
    public async Task Every_type_field_argument_and_value_has_a_description()
    {
        await using var host = new SchemaHost(typeof(Query), typeof(Mutation));
        host.Schema.Initialize();
        Assert.Empty(Undescribed(host.Schema));
    }

    private static IEnumerable<string> Undescribed(ISchema schema)
    {
        foreach (var type in schema.AllTypes.Where(t => !t.Name.StartsWith("__", StringComparison.Ordinal)))
        {
            if (string.IsNullOrWhiteSpace(type.Description) && !s_specified.Contains(type.Name))
                yield return type.Name;
            foreach (var value in type is EnumerationGraphType enumeration ? enumeration.Values.ToList() : [])
            {
                if (string.IsNullOrWhiteSpace(value.Description))
                    yield return $"{type.Name}.{value.Name}";
            }
            foreach (var field in type is IComplexGraphType complex ? complex.Fields.ToList() : [])
            {
                if (string.IsNullOrWhiteSpace(field.Description))
                    yield return $"{type.Name}.{field.Name}";
                foreach (var argument in field.Arguments?.ToList() ?? [])
                {
                    if (string.IsNullOrWhiteSpace(argument.Description))
                        yield return $"{type.Name}.{field.Name}({argument.Name})";
                }
            }
        }
    }
}
