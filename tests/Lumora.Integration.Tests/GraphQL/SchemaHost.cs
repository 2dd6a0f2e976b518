using System.Security.Claims;
using System.Text.Json;
using GraphQL;
using GraphQL.Types;
using Lumora.Api.GraphQL;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Lumora.Integration.Tests.GraphQL;

/// <summary>A schema without transport: what a resolver sees and what comes out.</summary>
internal sealed class SchemaHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    public SchemaHost(Type query, Type mutation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddGraphQL(new SchemaRoots(query, mutation));
        builder.Services.AddSingleton<Probe.Fetches>().AddSingleton<Probe.Counter>().AddScoped<Probe.OwnerLoader>();
        _app = builder.Build();
    }

    public static SchemaHost OfProbes() => new(typeof(Probe.Query), typeof(Probe.Mutation));

    public ISchema Schema => _app.Services.GetRequiredService<ISchema>();

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public static ClaimsPrincipal SignedIn(string id, params string[] roles) => new(new ClaimsIdentity(
        [new Claim("sub", id), .. roles.Select(role => new Claim("role", role))], "test"));

    public async Task<JsonElement> RunAsync(
        string query, object? variables = null, ClaimsPrincipal? user = null, string? operationName = null)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        var serializer = Get<IGraphQLTextSerializer>();
        var result = await Get<IDocumentExecuter<LumoraSchema>>().ExecuteAsync(new ExecutionOptions
        {
            Query = query,
            OperationName = operationName,
            Variables = variables is null ? null : serializer.Deserialize<Inputs>(JsonSerializer.Serialize(variables)),
            User = user,
            RequestServices = scope.ServiceProvider,
            CancellationToken = TestContext.Current.CancellationToken,
        });
        return JsonDocument.Parse(serializer.Serialize(result)).RootElement;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

internal static class ResponseReading
{
    public static JsonElement At(this JsonElement element, params object[] path) => path.Aggregate(
        element, (at, step) => step is int index ? at[index] : at.GetProperty((string)step));

    public static string? Code(this JsonElement response, int error = 0) =>
        response.At("errors", error, "extensions", "code").GetString();
}
