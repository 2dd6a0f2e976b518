using System.CommandLine;
using Lumora.Cli.Reports;
using Lumora.Projections.Ledger;
using Npgsql;

namespace Lumora.Cli.Ledger;

/// <summary><c>lumora verify-ledger</c>: derives every table of a ledger from its journal and compares them, while it works.</summary>
public static class VerifyLedgerCommand
{
    private const string Description =
        """
        Derives every table of a ledger from its journal again and compares them row by row, in one snapshot; the host may run.
        Exit code: 0 all holds, 1 something does not (each line WRONG says what and where), 2 the verification could not be made.
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var choice = new DatabaseChoice();
        var json = new Option<string?>("--json")
        {
            Description = "Write every finding to this file as it is found, one JSON object a line.",
            HelpName = "FILE.ndjson",
        };
        var rate = new Option<int>("--rate")
        {
            Description = "Events replayed in a second, at most; 0 = as fast as possible.",
            HelpName = "N",
        };
        var command = new Command("verify-ledger", Description) { choice.Database, choice.Home, choice.Shard, json, rate };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async output =>
        {
            if (parsed.GetValue(rate) < 0)
                throw new UnableException("--rate is 0 or more events a second.");
            await using var source = await choice.OpenAsync(parsed, cancellationToken);
            await using var report = new LedgerReport(output, parsed.GetValue(json));
            var options = new LedgerInspectionOptions { EventsPerSecondMax = parsed.GetValue(rate) };
            try
            {
                var events = await new LedgerInspection(source, parsed.GetValue(choice.Shard)!, options)
                    .RunAsync(report.Found, report.Replayed, cancellationToken);
                return report.Finish(events, "Clean");
            }
            catch (NpgsqlException exception)
            {
                throw new UnableException($"the database failed: {exception.Message}", exception);
            }
        }));
        return command;
    }
}
