using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Cli.Verify;

namespace Lumora.Cli.Demo;

/// <summary>The last part: the purchase's leaf, its inclusion proof, the checkpoint, the memo on Solana.</summary>
internal sealed class Proving(DemoOptions options, DemoStory story)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnchoredWithin = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Runs <c>lumora verify</c> on the purchase's event until a checkpoint over it stands in a finalized transaction.
    /// </summary>
    public async Task ProveAsync(string purchaseId, CancellationToken cancellation)
    {
        using var http = new HttpClient { BaseAddress = options.Server };
        var eventId = await FindEventAsync(http, $"purchase/{purchaseId}", cancellation);
        var folder = options.Home.Folder("demo", "proof");
        var end = DateTimeOffset.UtcNow + AnchoredWithin;
        while (true)
        {
            var output = new StringWriter();
            var exitCode = await EndpointAsync(http, cancellation) is { } rpc
                ? await VerifyAsync(eventId, rpc, folder, output, cancellation)
                : 1;
            if (exitCode == 0)
            {
                foreach (var line in output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries))
                    story.Tell(line.TrimEnd());
                story.Checked($"kept in {folder}: check it again with no network by `lumora verify`");
                return;
            }

            if (DateTimeOffset.UtcNow > end)
                throw new DemoFailedException($"The purchase was not anchored within {AnchoredWithin.TotalMinutes:F0} minutes:\n{output}");
            await Task.Delay(Pause, cancellation);
        }
    }

    private Task<int> VerifyAsync(string eventId, string rpc, string folder, StringWriter output, CancellationToken cancellation)
    {
        string[] arguments =
            ["--server", options.Server.AbsoluteUri, "--event", eventId, "--rpc", rpc, "--save", folder];
        return VerifyCommand.Create().Parse(arguments).InvokeAsync(
            new System.CommandLine.InvocationConfiguration { Output = output, Error = output }, cancellation);
    }

    // The port of the local chain changes when the host starts again: asked each time.
    private static async Task<string?> EndpointAsync(HttpClient http, CancellationToken cancellation)
    {
        try
        {
            var ready = await http.GetFromJsonAsync<JsonElement>("/readyz", cancellation);
            return ready.GetProperty("checks").GetProperty("solana").TryGetProperty("data", out var data)
                && data.TryGetProperty("endpoint", out var endpoint)
                    ? endpoint.GetString()
                    : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static async Task<string> FindEventAsync(HttpClient http, string stream, CancellationToken cancellation)
    {
        var end = DateTimeOffset.UtcNow + AnchoredWithin;
        while (DateTimeOffset.UtcNow < end)
        {
            try
            {
                await using var export = await http.GetStreamAsync("/v1/events", cancellation);
                using var lines = new StreamReader(export);
                while (await lines.ReadLineAsync(cancellation) is { } line)
                {
                    if (!line.Contains(stream, StringComparison.Ordinal))
                        continue;
                    var leaf = JsonSerializer.Deserialize<JsonElement>(line);
                    if (leaf.GetProperty("stream").GetString() == stream)
                        return leaf.GetProperty("id").GetString()!;
                }
            }
            catch (Exception fault) when (fault is HttpRequestException or IOException)
            {
                // The host is starting again.
            }

            await Task.Delay(Pause, cancellation);
        }

        throw new DemoFailedException($"The log holds no event of {stream}.");
    }
}
