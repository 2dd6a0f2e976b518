using System.Diagnostics;
using System.Text.Json;

namespace Lumora.Integration.Tests.GraphQL;

public sealed class AuditSpecs(GraphQLHost host) : IClassFixture<GraphQLHost>
{
    [Fact]
    public async Task The_endpoint_passes_every_audit_of_the_graphql_over_http_suite()
    {
        var folder = Path.Combine(Repository.Root, "tests", "graphql-audit");
        Assert.SkipUnless(await AnswersAsync("node"), "Node.js is not installed; the audit suite is an npm package.");
        if (!File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
        {
            var install = await RunAsync("npm", folder, "ci", "--no-audit", "--no-fund");
            Assert.True(install.Code == 0, install.Output);
        }

        var audit = await RunAsync("node", folder, "audit.mjs", host.Endpoint.ToString());
        var results = audit.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.StartsWith('{')).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.True(results.All(r => r.At("status").GetString() == "ok"), audit.Output);
        Assert.True(audit.Code == 0, audit.Output);
        Assert.True(results.Count >= 60, $"Only {results.Count} audits ran.");
    }

    internal static async Task<bool> AnswersAsync(string program)
    {
        try
        {
            return (await RunAsync(program, Environment.CurrentDirectory, "--version")).Code == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, string folder, params string[] arguments)
    {
        var ct = TestContext.Current.CancellationToken;
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        var output = process.StandardOutput.ReadToEndAsync(ct);
        var errors = process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return (process.ExitCode, await output + await errors);
    }
}

internal static class Repository
{
    /// <summary>The folder of the solution that these tests were built from.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Lumora.sln")))
                return at.FullName;
        }
        throw new DirectoryNotFoundException("Lumora.sln is in no folder above the tests.");
    }
}
