using System.CommandLine;
using System.Globalization;
using Lumora.Bench.Measuring;
using Lumora.Bench.Server;

namespace Lumora.Bench.Anchoring;

/// <summary><c>bench anchors</c>.</summary>
internal static class AnchorBenchCommand
{
    private const int SecondsDefault = 180;
    private const double PromisedMs = 60_000;
    private const int Failed = 1;

    private const string Description =
        """
        Measures from commit to finality: a whole host at its default cadence with a local Solana at its default slots; an event each
        250 ms, each timed until the anchor that covers it was seen to be final. Exit code: 0 p99 within 60 s, 1 not.
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var seconds = new Option<int>("--seconds")
        {
            Description = "How long events are appended.",
            DefaultValueFactory = _ => SecondsDefault,
            HelpName = "COUNT",
        };
        var command = new Command("anchors", Description) { seconds };
        command.SetAction(async (parsed, ct) =>
        {
            await using var server = await BenchServer.StartAsync(null, Console.WriteLine, ct);
            await using var host = BenchHost.Start(await server.CreateDatabaseAsync("anchors", ct), chain: true);
            var times = await new AnchorDelays(host).MeasureAsync(TimeSpan.FromSeconds(parsed.GetValue(seconds)), ct);
            var latencies = new LatencyHistogram();
            foreach (var time in times)
                latencies.Record(time);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"commit → finalized, {times.Count} events: p50 {latencies.QuantileMs(0.5) / 1000:0.0} s, p99 {latencies.QuantileMs(0.99) / 1000:0.0} s, max {times.Max().TotalSeconds:0.0} s"));
            return latencies.QuantileMs(0.99) <= PromisedMs ? 0 : Failed;
        });
        return command;
    }
}
