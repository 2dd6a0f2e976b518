using Lumora.Chain.Log;
using Microsoft.Extensions.Options;

namespace Lumora.Api.Log;

/// <summary>The transparency log: sequencing, publishing, and its files, proofs and export over HTTP.</summary>
internal static class LogModule
{
    private const string AuditorRole = "auditor";

    /// <summary>Adds the log and its health check.</summary>
    public static WebApplicationBuilder AddLog(this WebApplicationBuilder builder)
    {
        builder.Services.AddTransparencyLog();
        builder.Services.AddSingleton<LogAccessRule>();
        builder.Services.AddHealthChecks().AddCheck<LogHealth>("log", tags: ["ready"]);
        return builder;
    }

    /// <summary>Maps <c>/log/...</c> and <c>/v1/events</c>.</summary>
    public static WebApplication MapLog(this WebApplication app)
    {
        string[] read = [HttpMethods.Get, HttpMethods.Head];
        var log = app.MapGroup("/log/{shard}");
        log.MapMethods("/checkpoint", read, LogEndpoints.CheckpointAsync).AllowAnonymous();
        log.MapMethods("/key", read, LogEndpoints.Key).AllowAnonymous();
        log.MapMethods("/tile/{level:int}/{**index}", read, LogEndpoints.HashTile).AllowAnonymous();
        log.MapGet("/proof/{eventId:guid}", LogEndpoints.ProofAsync).AllowAnonymous();

        // Log:Access says whether the events themselves are for everybody.
        var access = app.Services.GetRequiredService<IOptions<LogOptions>>().Value.Access;
        RouteHandlerBuilder[] entries =
        [
            log.MapMethods("/tile/entries/{**index}", read, LogEndpoints.Bundle),
            log.MapMethods("/data/{sha256}", read, LogEndpoints.Data),
            log.MapGet("/entry/{eventId:guid}", LogEndpoints.EntryAsync),
            log.MapGet("/composed-proof/{eventId:guid}", ComposedProofEndpoint.GetAsync),
            app.MapGet("/v1/events", EventExport.GetAsync),
        ];
        foreach (var endpoint in entries)
        {
            if (access == LogAccess.Public)
                endpoint.AllowAnonymous();
            else
                endpoint.RequireAuthorization(policy => policy.RequireRole(AuditorRole));
        }

        return app;
    }
}
