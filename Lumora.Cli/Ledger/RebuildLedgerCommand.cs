using System.CommandLine;
using Lumora.Cli.Reports;
using Lumora.Projections.Ledger;
using Npgsql;

namespace Lumora.Cli.Ledger;

/// <summary><c>lumora rebuild-ledger</c>: makes the ledger's tables anew from its journal, while it works.</summary>
public static class RebuildLedgerCommand
{
    private const string Description =
        """
        Derives every table of a ledger from its journal into new tables and swaps them in under the fence; the host may run.
        The journal is never changed, and a journal that is at fault is not rebuilt from.
        Exit code: 0 rebuilt, 1 the journal is at fault (each line WRONG says where; nothing was changed), 2 it could not be done.
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var choice = new DatabaseChoice();
        var command = new Command("rebuild-ledger", Description) { choice.Database, choice.Home, choice.Shard };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async output =>
        {
            await using var source = await choice.OpenAsync(parsed, cancellationToken);
            await using var report = new LedgerReport(output, file: null);
            try
            {
                var rebuilt = await new LedgerRebuild(source, parsed.GetValue(choice.Shard)!)
                    .RunAsync(report.Found, report.Replayed, cancellationToken);
                return report.Finish(rebuilt.Events, "Rebuilt");
            }
            catch (Exception exception) when (exception is NpgsqlException or LedgerRebuildException)
            {
                throw new UnableException($"nothing was changed: {exception.Message}", exception);
            }
        }));
        return command;
    }
}
