using System.Net;
using System.Text.RegularExpressions;
using Lumora.Api.GraphQL;

namespace Lumora.Integration.Tests.GraphQL;

public sealed partial class ExplorerSpecs(GraphQLHost host) : IClassFixture<GraphQLHost>
{
    [Fact]
    public Task The_plain_editor_loads_only_files_of_this_host() => LoadsOnlyFilesOf(host, "plain.js");

    [Theory]
    [InlineData("package.json")]
    [InlineData("plain.html")]
    [InlineData("graphiql.js")]
    [InlineData("..%2F..%2Fpackage.json")]
    [InlineData("%2Fetc%2Fpasswd")]
    public async Task Nothing_else_is_served(string name)
    {
        using var response = await host.Client.GetAsync(
            new Uri(host.Endpoint, "/explorer/" + name), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    internal static async Task LoadsOnlyFilesOf(GraphQLHost host, string script)
    {
        var ct = TestContext.Current.CancellationToken;
        using var response = await host.Client.GetAsync(new Uri(host.Endpoint, "/"), ct);
        var page = await response.Content.ReadAsStringAsync(ct);
        Assert.Equal("text/html; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("://", page, StringComparison.Ordinal);

        var files = Reference().Matches(page).Select(match => match.Groups["file"].Value).ToList();
        Assert.Contains("/explorer/" + script, files, StringComparer.Ordinal);
        foreach (var file in files)
        {
            using var part = await host.Client.GetAsync(new Uri(host.Endpoint, file), ct);
            Assert.Equal(HttpStatusCode.OK, part.StatusCode);
            Assert.Contains(part.Content.Headers.ContentType!.MediaType, (string[])["text/javascript", "text/css"]);
        }
    }

    [GeneratedRegex(
        "(?:src|href)=\"(?<file>[^\"]+)\"",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Reference();
}

public sealed class GraphiQLHost : GraphQLHost
{
    protected override bool InstallsGraphiQL => true;
}

public sealed class GraphiQLSpecs(GraphiQLHost host) : IClassFixture<GraphiQLHost>
{
    [Fact]
    public async Task GraphiQL_comes_from_npm_into_the_home_folder_and_nowhere_else()
    {
        Assert.SkipUnless(await AuditSpecs.AnswersAsync("node"), "Node.js is not installed; GraphiQL is an npm package.");
        await host.Get<Explorer>().InstallAsync();
        await ExplorerSpecs.LoadsOnlyFilesOf(host, "graphiql.js");
    }
}
