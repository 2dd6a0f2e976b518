using GraphQL;
using GraphQL.Types;
using GraphQL.Validation.Complexity;
using Microsoft.Extensions.Options;

namespace Lumora.Api.GraphQL;

/// <summary>The GraphQL endpoint: schema, access, limits and transport.</summary>
internal static class GraphQLModule
{
    public const string Path = "/graphql";

    public static WebApplicationBuilder AddGraphQL(this WebApplicationBuilder builder) =>
        builder.AddGraphQL(new SchemaRoots(typeof(Query), typeof(Mutation)));

    /// <summary>With other root types, for tests.</summary>
    public static WebApplicationBuilder AddGraphQL(this WebApplicationBuilder builder, SchemaRoots roots)
    {
        builder.Services.AddOptions<GraphQLOptions>()
            .BindConfiguration(GraphQLOptions.Section)
            .ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<GraphQLOptions>, GraphQLOptionsValidation>();
        builder.Services.AddSingleton(roots);
        builder.Services.AddSingleton<IGraphTypeMappingProvider, GraphTypeMapping>();
        builder.Services.AddTransient<AmountScalar>().AddTransient<Int64Scalar>().AddTransient<DateTimeScalar>();
        builder.Services.AddTransient(typeof(ClrObject<>));
        builder.Services.AddTransient(typeof(ClrInput<>));
        builder.Services.AddTransient(typeof(ClrEnum<>));
        builder.Services.AddSingleton<GraphQLRunner>();
        builder.Services.AddSingleton<GraphQLHttp>();
        builder.Services.AddSingleton<Explorer>();
        builder.Services.AddGraphQL(graphql => graphql
            .AddSchema<LumoraSchema>()
            .AddSystemTextJson()
            .AddErrorInfoProvider(options => options.ExposeCodes = options.ExposeData = false)
            .AddValidationRule<AccessRule>(useForCachedDocuments: true)
            .AddComplexityAnalyzer((complexity, services) =>
            {
                var limits = services.GetRequiredService<IOptions<GraphQLOptions>>().Value;
                complexity.MaxDepth = limits.DepthMax;
                complexity.MaxComplexity = limits.ComplexityMax;
                complexity.DefaultListImpactMultiplier = 10;
                var estimate = complexity.DefaultComplexityImpactDelegate;
                complexity.DefaultComplexityImpactDelegate = field => Weighed(field, estimate(field));
            })
            .ConfigureExecutionOptions(options => options.Timeout = options.RequestServices!
                .GetRequiredService<IOptions<GraphQLOptions>>().Value.Timeout));
        return builder;
    }

    public static WebApplication MapGraphQL(this WebApplication app)
    {
        // A schema that cannot be built is found at the start, not by the first request.
        app.Services.GetRequiredService<ISchema>().Initialize();
        app.Map(Path, (HttpContext context, GraphQLHttp graphql) => graphql.HandleAsync(context))
            .WithDisplayName("GraphQL").AllowAnonymous();
        app.MapGet("/", (HttpResponse response, Explorer explorer) => explorer.Page(response)).AllowAnonymous();
        app.MapGet("/explorer/{name}", (HttpResponse response, string name, Explorer explorer) =>
            explorer.File(response, name)).AllowAnonymous();
        return app;
    }

    /// <summary>
    /// Introspection answers from memory and most of its lists are short, so its values weigh a twentieth: tools read the
    /// whole schema, and one more level of "fields of the types of fields" is still refused.
    /// </summary>
    private static FieldComplexityResult Weighed(FieldImpactContext field, FieldComplexityResult estimate) =>
        field.ParentType.Name.StartsWith("__", StringComparison.Ordinal)
            ? new FieldComplexityResult(estimate.FieldImpact / 20, estimate.ChildImpactMultiplier)
            : estimate;

    private sealed class GraphQLOptionsValidation : IValidateOptions<GraphQLOptions>
    {
        public ValidateOptionsResult Validate(string? name, GraphQLOptions options) =>
            options.Problems().ToList() is { Count: > 0 } problems
                ? ValidateOptionsResult.Fail(problems)
                : ValidateOptionsResult.Success;
    }
}
