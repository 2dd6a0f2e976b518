using System.Globalization;
using System.Text.Json;

namespace Lumora.Cli.Demo;

/// <summary>The third part: the epoch's emission is allocated to the last base unit.</summary>
internal sealed class Paying(DemoStory story)
{
    private const string EpochFields = "number emission paid unallocated providers contributions bytes paidAt";

    /// <summary>
    /// Closes each epoch in which the providers' work lies, in order, and checks the sums: it is more than one when the demo
    /// runs over midnight, or when one of yesterday stopped before its end.
    /// </summary>
    public async Task CloseEpochsAsync(CancellationToken cancellation)
    {
        var data = await story.Cast.Steward.AskAsync(
            "query { epochs(last: 1) { edges { node { number } } } }", variables: null, cancellation);
        var closed = data.GetProperty("epochs").GetProperty("edges").EnumerateArray()
            .Select(edge => Units(edge.GetProperty("node"), "number")).LastOrDefault(-1);
        var worked = new SortedSet<long>();
        foreach (var provider in story.Cast.Providers)
            worked.UnionWith(await WorkedAsync(provider, cancellation));
        foreach (var epoch in worked.Where(epoch => epoch > closed))
            await CloseEpochAsync(epoch.ToString(CultureInfo.InvariantCulture), cancellation);
    }

    private async Task CloseEpochAsync(string number, CancellationToken cancellation)
    {
        await story.Cast.Steward.CommandAsync(
            "closeEpoch",
            "mutation($input: CloseEpochInput!) { closeEpoch(input: $input) { epoch { number } error { code message field } } }",
            new { epoch = number, reason = "The demo ends here.", idempotencyKey = story.Key($"epoch-{number}") },
            cancellation);
        var epoch = await story.WaitAsync(
            "Paying",
            () => EpochAsync(number, cancellation),
            found => found.ValueKind == JsonValueKind.Object && found.GetProperty("paidAt").ValueKind == JsonValueKind.String
                ? new Paid(found)
                : null,
            _ => "postings",
            cancellation);

        var emission = Units(epoch.Epoch, "emission");
        var paid = Units(epoch.Epoch, "paid");
        var unallocated = Units(epoch.Epoch, "unallocated");
        var earned = 0L;
        foreach (var provider in story.Cast.Providers)
        {
            var mine = await EarnedAsync(provider, number, cancellation);
            earned += mine;
            story.Tell($"{provider.Name} earned {mine} base units (not withdrawable yet)");
        }

        if (earned + unallocated != emission || earned != paid)
        {
            throw new DemoFailedException(
                $"The sums differ: earned {earned}, paid {paid}, unallocated {unallocated}, emission {emission}.");
        }

        story.Checked($"{earned} earned + {unallocated} unallocated = {emission}, the emission of epoch {number}");
    }

    private async Task<JsonElement> EpochAsync(string number, CancellationToken cancellation)
    {
        var data = await story.Cast.Steward.AskAsync(
            $"query($number: Int64!) {{ epoch(number: $number) {{ {EpochFields} }} }}", new { number }, cancellation);
        return data.GetProperty("epoch");
    }

    private static async Task<IEnumerable<long>> WorkedAsync(DemoProvider provider, CancellationToken cancellation)
    {
        var data = await provider.Client.AskAsync(
            "query { contributions(last: 500) { edges { node { epoch } } } }", variables: null, cancellation);
        return data.GetProperty("contributions").GetProperty("edges").EnumerateArray()
            .Select(edge => Units(edge.GetProperty("node"), "epoch"));
    }

    private static async Task<long> EarnedAsync(DemoProvider provider, string epoch, CancellationToken cancellation)
    {
        var data = await provider.Client.AskAsync(
            "query { earnings(last: 100) { withdrawalNote epochs { edges { node { epoch amount } } } } }",
            variables: null,
            cancellation);
        return data.GetProperty("earnings").GetProperty("epochs").GetProperty("edges").EnumerateArray()
            .Select(edge => edge.GetProperty("node"))
            .Where(node => node.GetProperty("epoch").GetString() == epoch)
            .Sum(node => Units(node, "amount"));
    }

    private static long Units(JsonElement of, string field) =>
        long.Parse(of.GetProperty(field).GetString()!, CultureInfo.InvariantCulture);

    private sealed record Paid(JsonElement Epoch);
}
