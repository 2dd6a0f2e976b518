using System.Text.Json;
using Lumora.Cli.Client;

namespace Lumora.Cli.Demo;

/// <summary>The first part: nodes, a collection, tasks, leases, accepted results, contributions.</summary>
internal sealed class Gathering(DemoOptions options, DemoStory story, DemoSite site)
{
    private const int PagesPerTask = 5;

    /// <summary>Registers each provider's node under the provider.</summary>
    public async Task RegisterNodesAsync(CancellationToken cancellation)
    {
        foreach (var provider in story.Cast.Providers)
        {
            var nodeId = await NodeProcess.IdAsync(provider.NodeHome, cancellation);
            try
            {
                await provider.Client.CommandAsync(
                    "registerNode",
                    "mutation($input: RegisterNodeInput!) { registerNode(input: $input) { node { id } error { code message field } } }",
                    new
                    {
                        nodeId,
                        proof = await NodeProcess.ProofAsync(provider.NodeHome, provider.Client.ParticipantId, cancellation),
                    },
                    cancellation);
            }
            catch (LumoraRefusedException refused) when (refused.Code == "already_registered")
            {
                // An earlier run of the demo on this host.
            }

            story.Tell($"{provider.Name} ({provider.Client.ParticipantId}) owns node {nodeId}");
        }
    }

    /// <summary>Has the site gathered and gives the collection's id.</summary>
    public async Task<string> GatherAsync(CancellationToken cancellation)
    {
        var nodes = story.Cast.Providers.Select(provider => NodeProcess.Start(options.Server, provider.NodeHome)).ToList();
        try
        {
            story.Chapter($"A collection asks for {site.Pages.Count} pages of {site.Root}");
            var collectionId = await ProposeAsync(cancellation);
            var outcome = await story.WaitAsync(
                "Gathering",
                () => CollectionAsync(collectionId, cancellation),
                collection => collection.GetProperty("phase").GetString() is "COMPLETED" or "FAILED"
                    ? new Outcome(collection)
                    : null,
                Progress,
                cancellation);
            Report(outcome.Collection);
            await ReportSharesAsync(collectionId, cancellation);
            return collectionId;
        }
        finally
        {
            foreach (var node in nodes)
                node.Dispose();
        }
    }

    private async Task<string> ProposeAsync(CancellationToken cancellation)
    {
        var payload = await story.Cast.Steward.CommandAsync(
            "proposeCollection",
            "mutation($input: ProposeCollectionInput!) { proposeCollection(input: $input) { collection { id } "
            + "error { code message field } } }",
            new
            {
                title = $"Pages of {site.Root.Authority}",
                purpose = "Shows the way of the data through Lumora.",
                licence = "https://www.postgresql.org/about/licence/",
                allowedHosts = new[] { site.Root.Authority },
                urls = site.Pages.Select(page => page.AbsoluteUri),
                fields = new[]
                {
                    new { field = "title", selector = "title", required = true },
                    new { field = "heading", selector = "h1, h2, .title", required = false },
                    new { field = "text", selector = "p", required = false },
                },
                pagesPerTask = PagesPerTask,
                pagesMax = site.Pages.Count,
            },
            cancellation);
        return payload.GetProperty("collection").GetProperty("id").GetString()!;
    }

    private async Task<JsonElement> CollectionAsync(string collectionId, CancellationToken cancellation)
    {
        var data = await story.Cast.Steward.AskAsync(
            "query { collections(last: 50) { edges { node { id phase tasks pages failure "
            + "progress { queued leased completed accepted abandoned records } } } } }",
            variables: null,
            cancellation);
        return data.GetProperty("collections").GetProperty("edges").EnumerateArray()
            .Select(edge => edge.GetProperty("node"))
            .First(node => node.GetProperty("id").GetString() == collectionId);
    }

    private static string Progress(JsonElement collection)
    {
        var progress = collection.GetProperty("progress");
        return $"{progress.GetProperty("accepted")} of {collection.GetProperty("tasks")} tasks accepted, "
            + $"{progress.GetProperty("leased")} leased, {progress.GetProperty("records").GetString()} records";
    }

    private void Report(JsonElement collection)
    {
        if (collection.GetProperty("phase").GetString() == "FAILED")
            throw new DemoFailedException($"The collection failed: {collection.GetProperty("failure").GetString()}");
        var progress = collection.GetProperty("progress");
        if (progress.GetProperty("abandoned").GetInt32() is > 0 and var abandoned)
            story.Tell($"{abandoned} tasks were abandoned; `tasks` in GraphQL says why");
        story.Checked($"{progress.GetProperty("accepted")} tasks accepted, {progress.GetProperty("records").GetString()} records");
    }

    private async Task ReportSharesAsync(string collectionId, CancellationToken cancellation)
    {
        foreach (var provider in story.Cast.Providers)
        {
            var data = await provider.Client.AskAsync(
                "query { contributions(last: 500) { edges { node { collectionId pages bytes } } } }",
                variables: null,
                cancellation);
            var mine = data.GetProperty("contributions").GetProperty("edges").EnumerateArray()
                .Select(edge => edge.GetProperty("node"))
                .Where(node => node.GetProperty("collectionId").GetString() == collectionId)
                .ToList();
            var bytes = mine.Sum(node => long.Parse(
                node.GetProperty("bytes").GetString()!, System.Globalization.CultureInfo.InvariantCulture));
            story.Tell($"{provider.Name}: {mine.Count} contributions, "
                + $"{mine.Sum(node => node.GetProperty("pages").GetInt32())} pages, {bytes} bytes");
        }
    }

    private sealed record Outcome(JsonElement Collection);
}
