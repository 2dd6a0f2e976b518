using System.CommandLine;

namespace Lumora.Bench.Log;

/// <summary><c>bench log</c>.</summary>
internal static class LogBenchCommand
{
    private const int EventsDefault = 1_000_000;
    private const int EventsQuick = 60_000;

    private const string Description =
        """
        Makes a log of real events with the ledger and measures it: leaves a second that a host catches up with, the delay from a
        transfer's commit to the published checkpoint, proofs over HTTP; beside them hashing alone and appending alone.
        Takes some minutes for a million events.
        Exit code: 0 measured, 1 something did not hold, 2 the run could not be made.
        """;

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var quick = new Option<bool>("--quick") { Description = "A small log and few samples, less than a minute in all." };
        var json = new Option<string?>("--json") { Description = "Write the rows there, too.", HelpName = "FILE" };
        var postgres = new Option<string?>("--postgres")
        {
            Description = "A server to measure on, as its superuser; databases bench_* are made and dropped. Default: an embedded one.",
            HelpName = "CONNECTIONSTRING",
        };
        var events = new Option<int?>("--events")
        {
            Description = "Events of the log, 50,000 to 10,000,000; 1,000,000 by default.",
            HelpName = "COUNT",
        };
        var made = new Option<long?>("--made")
        {
            Description = "Instead: publishing and proofs alone, of a log of so many leaves that the database makes; ten million take a quarter of an hour.",
            HelpName = "COUNT",
        };
        var command = new Command("log", Description) { quick, json, postgres, events, made };
        command.SetAction((parsed, ct) =>
        {
            var isQuick = parsed.GetValue(quick);
            var options = new LogBenchOptions
            {
                Postgres = parsed.GetValue(postgres),
                Json = parsed.GetValue(json),
                Made = parsed.GetValue(made),
                Events = Math.Clamp(parsed.GetValue(events) ?? (isQuick ? EventsQuick : EventsDefault), 50_000, 10_000_000),
                Patience = TimeSpan.FromSeconds(isQuick ? 5 : 240),
                DelaySamples = isQuick ? 50 : 300,
            };
            return Guarded.RunAsync("log", parsed.InvocationConfiguration.Error, async () =>
            {
                await new LogBench(options, parsed.InvocationConfiguration.Output).RunAsync(ct);
                return true;
            }, ct);
        });
        return command;
    }
}
