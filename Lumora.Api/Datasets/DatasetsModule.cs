using System.Net.Mime;
using Lumora.Api.GraphQL;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Projections.Datasets;
using Lumora.Projections.EventStore;

namespace Lumora.Api.Datasets;

/// <summary>Datasets: publishing, building, catalog and public metadata.</summary>
internal static class DatasetsModule
{
    /// <summary>Adds the slice; its options are the section <c>Market</c>.</summary>
    public static WebApplicationBuilder AddDatasets(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<MarketOptions>().BindConfiguration(MarketOptions.Section)
            .Validate(
                o => o.ReleaseAfter >= TimeSpan.FromSeconds(1) && o.ReleaseAfter <= TimeSpan.FromDays(30),
                "Market:ReleaseAfter must be 1 second to 30 days.")
            .Validate(
                o => o.SweepEvery >= TimeSpan.FromMilliseconds(100) && o.SweepEvery <= TimeSpan.FromHours(1),
                "Market:SweepEvery must be 100 milliseconds to 1 hour.")
            .Validate(
                o => Uri.TryCreate(o.PublicUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
                    && !o.PublicUrl.EndsWith('/'),
                "Market:PublicUrl must be an http or https address without a slash at its end.")
            .Validate(
                o => o.Split.IsWhole,
                "Market:PublisherBps, RewardsBps, FeesBps and BurnBps must not be negative and add up to 10000.")
            .ValidateOnStart();
        services.AddSingleton<MarketKeys>();
        services.AddSingleton<DatasetBodies>();
        services.AddSingleton<DatasetBuildSignal>();
        services.AddSingleton<DatasetCatalog>();
        services.AddSingleton<DatasetPublishing>();
        services.AddScoped<DatasetBuildLoader>();
        services.AddScoped<DatasetDetailsLoader>();
        services.AddHostedService<DatasetBuilder>();
        return builder;
    }

    /// <summary>Maps the public metadata.</summary>
    public static WebApplication MapDatasets(this WebApplication endpoints)
    {
        endpoints.MapGet("/datasets/{id}/croissant.json", LatestCroissantAsync).AllowAnonymous();
        var versions = endpoints.MapGroup("/datasets/{id}/versions/{version}").AllowAnonymous();
        versions.MapGet("croissant.json", (ShardSessions sessions, string id, string version, CancellationToken ct) =>
            ServeAsync(sessions, id, version, one => Results.Text(one.Croissant, "application/ld+json"), ct));
        versions.MapGet(DatasetPackager.SampleName, (ShardSessions sessions, string id, string version, CancellationToken ct) =>
            ServeAsync(sessions, id, version, one => Results.Text(one.Sample, DatasetPackager.NdjsonType), ct));
        versions.MapGet("manifest.json", (ShardSessions sessions, string id, string version, CancellationToken ct) =>
            ServeAsync(
                sessions, id, version,
                one => Results.Bytes(CanonicalJson.Serialize(one.Version), MediaTypeNames.Application.Json), ct));
        return endpoints;
    }

    private static async Task<IResult> LatestCroissantAsync(ShardSessions sessions, string id, CancellationToken ct)
    {
        await using var session = sessions.Query(ShardRole.Global);
        var view = await session.LoadAsync<DatasetView>(Dataset.StreamOf(id), ct);
        return await ServeAsync(
            sessions, id, view?.Latest?.Version.ToString() ?? "", one => Results.Text(one.Croissant, "application/ld+json"), ct);
    }

    private static async Task<IResult> ServeAsync(
        ShardSessions sessions, string id, string version, Func<DatasetArtifacts, IResult> serve, CancellationToken ct)
    {
        await using var session = sessions.Query(ShardRole.Global);
        var artifacts = await session.LoadAsync<DatasetArtifacts>(DatasetArtifacts.KeyOf(id, version), ct);
        return artifacts is null
            ? Results.Problem("There is no such dataset version.", statusCode: StatusCodes.Status404NotFound)
            : serve(artifacts);
    }
}
