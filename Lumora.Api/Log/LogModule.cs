using Lumora.Chain.Log;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Log;

/// <summary>The transparency log: sequencing, publishing, and its files, proofs and export over HTTP.</summary>
internal static class LogModule
{
    private const string AuditorRole = "auditor";
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Adds the log and its health check.</summary>
    public static WebApplicationBuilder AddLog(this WebApplicationBuilder builder)
    {
        builder.Services.AddTransparencyLog();
        builder.Services.AddSingleton<LogAccessRule>();
        builder.Services.AddSingleton<ExportTurns>();
        builder.Services.AddHealthChecks().AddCheck<LogHealth>("log", tags: ["ready"]);
        return builder;
    }

    /// <summary>Maps <c>/log/...</c> and <c>/v1/events</c>.</summary>
    public static WebApplication MapLog(this WebApplication app)
    {
        // Log:Access says whether the events themselves are for everybody.
        var access = app.Services.GetRequiredService<IOptions<LogOptions>>().Value.Access;
        var log = app.MapGroup("/log/{shard}");
        MapOpen(log, "/checkpoint", LogEndpoints.CheckpointAsync);
        MapOpen(log, "/key", LogEndpoints.Key);
        MapOpen(log, "/keys", LogEndpoints.Keys);
        MapOpen(log, "/tile/{level:int}/{**index}", LogEndpoints.HashTile);
        MapOpen(log, "/proof/{eventId:guid}", LogEndpoints.ProofAsync);
        MapEntries(access, log, "/tile/entries/{**index}", LogEndpoints.Bundle);
        MapEntries(access, log, "/data/{sha256}", LogEndpoints.Data);
        MapEntries(access, log, "/entry/{eventId:guid}", LogEndpoints.EntryAsync);
        MapEntries(access, log, "/composed-proof/{eventId:guid}", ComposedProofEndpoint.GetAsync);
        MapEntries(access, app, "/v1/events", EventExport.GetAsync);
        log.MapMethods("/{**path}", Read, LogEndpoints.Unknown).AllowAnonymous();
        return app;
    }

    private static void MapEntries(LogAccess access, IEndpointRouteBuilder routes, string pattern, Delegate handler)
    {
        if (access == LogAccess.Public)
            MapOpen(routes, pattern, handler);
        else
            routes.MapMethods(pattern, Read, handler).RequireAuthorization(policy => policy.RequireRole(AuditorRole));
    }

    /// <summary>
    /// What everybody may read, pages of other sites may read too. The header always stands there: a cache that got the answer for
    /// somebody else has it for them.
    /// </summary>
    private static void MapOpen(IEndpointRouteBuilder routes, string pattern, Delegate handler)
    {
        routes.MapMethods(pattern, Read, handler).AllowAnonymous().AddEndpointFilter((context, next) =>
        {
            var headers = context.HttpContext.Response.Headers;
            // What is not there now may be there soon; what stays says so itself.
            headers.CacheControl = "no-cache";
            headers.AccessControlAllowOrigin = "*";
            headers.AccessControlExposeHeaders = "ETag, Lumora-Leaf-Index, Lumora-Log-Size";
            return next(context);
        });
        routes.MapMethods(pattern, [HttpMethods.Options], (HttpContext context) =>
        {
            var headers = context.Response.Headers;
            headers.Allow = "GET, HEAD, OPTIONS";
            headers.AccessControlAllowOrigin = "*";
            headers.AccessControlAllowMethods = "GET, HEAD";
            headers.AccessControlAllowHeaders = "If-None-Match, If-Modified-Since, Range";
            headers.AccessControlMaxAge = "86400";
            return Results.NoContent();
        }).AllowAnonymous();
    }
}
