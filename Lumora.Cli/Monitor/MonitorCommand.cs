using System.CommandLine;
using System.Globalization;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;

namespace Lumora.Cli.Monitor;

/// <summary><c>lumora monitor</c>: follows a log and says when it contradicts itself or stands still.</summary>
public static class MonitorCommand
{
    private const string Description =
        """
        Follows a log: each new checkpoint must extend the last one that was seen, its entries must hash to it, its anchors and what its
        witnesses show must agree with it.
        A line says what happened, ALARM what must not happen; --json makes each line a JSON object. Ctrl-C ends it.
        Exit code: 0 no alarm, 1 there was one, 2 the log could not be followed at all.
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var (log, chain, trust, policy) = (new LogChoice(), new ChainChoice(), new TrustChoice(), new PinnedPolicy());
        var state = new Option<string?>("--state") { Description = "Keep here what was seen, and go on from there after a restart.", HelpName = "DIR" };
        var evidence = new Option<string?>("--evidence")
        {
            Description = "Where evidence is written; the state's folder, or else this one, when not given.",
            HelpName = "DIR",
        };
        var interval = Seconds("--interval", "Pause between two looks at the log.", 5);
        var stall = Seconds("--stall", "So long the log may wait, or not answer, while events wait for it.", 60);
        var anchorLate = Seconds("--anchor-late", "So long an entry may wait for its anchor; needs --rpc.", 300);
        var ageMax = new Option<double?>("--age-max") { Description = "Alarm when there was no new checkpoint for so long.", HelpName = "SECONDS" };
        var once = new Option<bool>("--once") { Description = "Look once and end." };
        var untilAlarm = new Option<bool>("--until-alarm") { Description = "End at the first alarm." };
        var json = new Option<bool>("--json") { Description = "Lines of JSON." };
        var command = new Command("monitor", Description)
        {
            log.Server, log.Shard, log.Key, policy.Policy, trust.Trust, trust.TrustKey, log.Token, chain.Rpc, chain.Anchor, chain.Genesis, state, evidence,
            interval, stall, anchorLate, ageMax, once, untilAlarm, json,
        };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async output =>
        {
            if (parsed.GetValue(log.Server) is not { } server)
                throw new UnableException("give --server URL.");
            var shard = parsed.GetValue(log.Shard)!;
            using var source = new ServerLog(LogChoice.Address(server, "--server"), shard, log.TokenOf(parsed));
            var chosen = await trust.ReadAsync(parsed, cancellationToken);
            var key = await policy.OfLogAsync(parsed, log, source, chosen, cancellationToken);
            using var solana = await chain.OpenAsync(parsed, cancellationToken, chosen?.File);
            var lines = new MonitorLines(output, parsed.GetValue(json), TimeProvider.System);
            var folder = parsed.GetValue(state);
            var limits = new MonitorLimits(
                Span(parsed, stall), Span(parsed, anchorLate), parsed.GetValue(ageMax) is { } age ? TimeSpan.FromSeconds(age) : null);
            using var run = await MonitorRun.OpenAsync(
                new MonitorSubject(source, shard, key, solana, folder, parsed.GetValue(evidence) ?? folder ?? Directory.GetCurrentDirectory(), limits),
                lines, TimeProvider.System, cancellationToken);
            var stop = parsed.GetValue(untilAlarm);
            if (parsed.GetValue(once))
                await run.PassAsync(isOnly: true, cancellationToken);
            else
                await FollowAsync(run, lines, Span(parsed, interval), stop, cancellationToken);
            return lines.Alarms == 0 ? ExitCodes.Clean : ExitCodes.Findings;
        }));
        return command;
    }

    private static async Task FollowAsync(
        MonitorRun run, MonitorLines lines, TimeSpan interval, bool untilAlarm, CancellationToken cancellationToken)
    {
        try
        {
            using var timer = new PeriodicTimer(interval);
            do
            {
                await run.PassAsync(isOnly: false, cancellationToken);
            }
            while (!(untilAlarm && lines.Alarms > 0) && await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            lines.Say("stopped", "ended by a signal");
        }
    }

    private static TimeSpan Span(ParseResult parsed, Option<double> option) => TimeSpan.FromSeconds(parsed.GetValue(option));

    private static Option<double> Seconds(string name, string description, double otherwise) => SecondsOption.Create(
        name, string.Create(CultureInfo.InvariantCulture, $"{description} Default {otherwise}."), otherwise, least: 0.1);
}
