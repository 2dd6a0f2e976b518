using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Api.Operations;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Ledger;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lumora.Integration.Tests.Operations;

public sealed class FailureSpecs(AppFixture fixture) : IClassFixture<AppFixture>
{
    [Theory]
    [InlineData("GET", "/nope", 404, "not_found")]
    [InlineData("GET", "/log/main/proof/no-guid", 404, "path_not_found")]
    [InlineData("GET", "/datasets/nope/croissant.json", 404, "not_found")]
    [InlineData("DELETE", "/v1/events", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/auth/sign-in", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/events?from=abc", 400, "invalid_range")]
    [InlineData("GET", "/v1/nodes/self", 401, "signature_missing")]
    public async Task What_cannot_be_answered_is_a_problem_with_a_code(string method, string path, int status, string code)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var answer = await fixture.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal((status, code), ((int)answer.StatusCode, problem.GetProperty("code").GetString()));
        Assert.Equal(status == 405, answer.Content.Headers.Allow.Count > 0);
        Assert.DoesNotContain("Exception", problem.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fault_shows_a_code_and_a_trace_id_and_nothing_of_its_inside_even_in_development()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddFailures().AddAuthorization().AddAuthentication();
        await using var app = builder.Build();
        app.UseFailures();
        app.MapGet("/fault", string () => throw new InvalidOperationException("secret"));
        app.MapGet("/away", string () => throw new LedgerUnavailableException(new InvalidOperationException("secret")));
        app.MapPost("/refused", string () => throw new BadHttpRequestException("secret", StatusCodes.Status413PayloadTooLarge));
        await app.StartAsync(TestContext.Current.CancellationToken);

        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        using var fault = await client.GetAsync("/fault", TestContext.Current.CancellationToken);
        using var away = await client.GetAsync("/away", TestContext.Current.CancellationToken);
        using var refused = await client.PostAsync("/refused", content: null, TestContext.Current.CancellationToken);
        foreach (var (answer, status, code) in new[] { (fault, 500, "internal"), (away, 503, "unavailable"), (refused, 413, "body_too_large") })
        {
            var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
            Assert.Equal((status, code), ((int)answer.StatusCode, problem.GetProperty("code").GetString()));
            Assert.True(problem.TryGetProperty("traceId", out _));
            Assert.DoesNotContain("secret", problem.GetRawText(), StringComparison.Ordinal);
        }
    }
}
