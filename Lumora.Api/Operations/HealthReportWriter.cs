using Lumora.Domain.Kernel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lumora.Api.Operations;

/// <summary>Writes a health report as JSON: the state of each check and what it says, never an exception's text.</summary>
internal static class HealthReportWriter
{
    /// <summary>The response writer of <c>/readyz</c>.</summary>
    public static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(
            new
            {
                status = report.Status,
                checks = report.Entries.ToDictionary(
                    entry => entry.Key,
                    entry => new
                    {
                        status = entry.Value.Status,
                        detail = entry.Value.Description,
                        data = entry.Value.Data.Count == 0 ? null : entry.Value.Data,
                    },
                    StringComparer.Ordinal),
            },
            WireJson.Messages,
            context.RequestAborted);
}
