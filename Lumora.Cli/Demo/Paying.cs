using System.Globalization;
using System.Text.Json;

namespace Lumora.Cli.Demo;

/// <summary>The third part: the epoch's emission is allocated to the last base unit.</summary>
internal sealed class Paying(DemoStory story)
{
    private const string EpochFields = "number emission paid unallocated providers contributions bytes paidAt";

    /// <summary>Closes the current epoch and checks the sums.</summary>
    public async Task CloseEpochAsync(CancellationToken cancellation)
    {
        var data = await story.Cast.Steward.AskAsync("query { currentEpoch }", variables: null, cancellation);
        var number = data.GetProperty("currentEpoch").GetString()!;
        await story.Cast.Steward.CommandAsync(
            "closeEpoch",
            "mutation($input: CloseEpochInput!) { closeEpoch(input: $input) { epoch { number } error { code message field } } }",
            new { epoch = number, reason = "The demo ends here.", idempotencyKey = story.Key("epoch") },
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
