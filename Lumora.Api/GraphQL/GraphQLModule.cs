using GraphQL;
using GraphQL.Types;

namespace Lumora.Api.GraphQL;

/// <summary>The GraphQL endpoint: schema, access, limits and transport.</summary>
internal static class GraphQLModule
{
    public static IHostApplicationBuilder AddGraphQL(this IHostApplicationBuilder builder) =>
        builder.AddGraphQL(new SchemaRoots(typeof(Query), typeof(Mutation)));

    public static IHostApplicationBuilder AddGraphQL(this IHostApplicationBuilder builder, SchemaRoots roots)
    {
        builder.Services.AddSingleton(roots);
        builder.Services.AddSingleton<IGraphTypeMappingProvider, GraphTypeMapping>();
        builder.Services.AddTransient(typeof(ClrObject<>));
        builder.Services.AddTransient(typeof(ClrInput<>));
        builder.Services.AddTransient(typeof(ClrEnum<>));
        builder.Services.AddGraphQL(graphql => graphql
            .AddSchema<LumoraSchema>()
            .AddSystemTextJson()
            .AddErrorInfoProvider(options => options.ExposeCodes = options.ExposeData = false)
            .AddValidationRule<AccessRule>(useForCachedDocuments: true));
        return builder;
    }
}
