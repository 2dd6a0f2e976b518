using System.Diagnostics.Metrics;
using System.Globalization;
using Lumora.Projections.Hosting;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Lumora.Api.Operations;

/// <summary>What an operator sees: logs, metrics, traces, health, addresses; and how the host starts and stops.</summary>
internal static class OperationsModule
{
    /// <summary>Names of activity sources and meters of this product begin with this.</summary>
    public const string TelemetryPrefix = "Lumora";

    private const string DefaultUrl = "http://127.0.0.1:5080";

    /// <summary>Adds logging, telemetry, health checks and the default address.</summary>
    public static WebApplicationBuilder AddOperations(this WebApplicationBuilder builder)
    {
        if (builder.Configuration["urls"] is null && builder.Configuration["Kestrel:Endpoints:Http:Url"] is null)
            builder.WebHost.UseUrls(DefaultUrl);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);

        AddLogging(builder);
        AddTelemetry(builder);

        builder.Services.AddSingleton(LumoraHome.From(builder.Configuration));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddFailures();
        builder.Services.AddHealthChecks().AddCheck<DatabaseHealth>("database", tags: ["ready"]);
        builder.Services.AddHostedService<Announcement>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        return builder;
    }

    /// <summary>Answers failures; maps <c>/healthz</c>, <c>/readyz</c> and <c>/metrics</c>. Before all other modules.</summary>
    public static WebApplication MapOperations(this WebApplication app)
    {
        app.UseFailures();
        app.MapHealthChecks("/healthz", new HealthCheckOptions { Predicate = _ => false }).AllowAnonymous();
        app.MapHealthChecks("/readyz", new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains("ready"),
            ResponseWriter = HealthReportWriter.WriteAsync,
        }).AllowAnonymous();
        app.MapPrometheusScrapingEndpoint("/metrics").AllowAnonymous();
        return app;
    }

    private static void AddLogging(WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        if (builder.Environment.IsProduction())
        {
            builder.Logging.AddJsonConsole(console =>
            {
                console.IncludeScopes = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";
            });
            return;
        }

        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
        });
    }

    private static void AddTelemetry(WebApplicationBuilder builder)
    {
        var export = !string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(
                "lumora-api", serviceInstanceId: Environment.ProcessId.ToString(CultureInfo.InvariantCulture)))
            .WithTracing(tracing =>
            {
                tracing.AddAspNetCoreInstrumentation().AddHttpClientInstrumentation().AddNpgsql()
                    .AddSource($"{TelemetryPrefix}*", "Marten", "Wolverine");
                if (export)
                    tracing.AddOtlpExporter();
            })
            .WithMetrics(metrics =>
            {
                metrics.AddAspNetCoreInstrumentation().AddHttpClientInstrumentation().AddRuntimeInstrumentation()
                    .AddMeter($"{TelemetryPrefix}*", "Marten", "Wolverine*", "Npgsql")
                    .AddPrometheusExporter();
                if (export)
                    metrics.AddOtlpExporter();
            });
        // Meters are the process's. Those of another host in it would overwrite this one's series of the same name.
        builder.Services.ConfigureOpenTelemetryMeterProvider((services, metrics) =>
        {
            var own = services.GetRequiredService<IMeterFactory>();
            metrics.AddView(instrument =>
                instrument.Meter.Scope is IMeterFactory other && other != own ? MetricStreamConfiguration.Drop : null);
        });
    }
}
