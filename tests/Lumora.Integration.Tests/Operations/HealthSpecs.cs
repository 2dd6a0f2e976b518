using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Operations;

public sealed class HealthSpecs(AppFixture fixture) : IClassFixture<AppFixture>
{
    [Fact]
    public async Task A_started_host_is_alive_and_ready_and_names_its_checks()
    {
        using var alive = await fixture.Client.GetAsync("/healthz", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);

        var report = await fixture.Client.GetFromJsonAsync<JsonElement>(
            "/readyz", TestContext.Current.CancellationToken);
        Assert.Equal("healthy", report.GetProperty("checks").GetProperty("database").GetProperty("status").GetString());
    }

    [Fact]
    public async Task Metrics_are_served_in_the_prometheus_format()
    {
        var metrics = await fixture.Client.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Contains("# TYPE ", metrics, StringComparison.Ordinal);
    }
}
