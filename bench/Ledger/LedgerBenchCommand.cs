using System.CommandLine;

namespace Lumora.Bench.Ledger;

/// <summary><c>bench ledger</c>.</summary>
internal static class LedgerBenchCommand
{
    private const int AccountsDefault = 10_000;

    private const string Description =
        """
        Measures the ledger beside other ways to move money in PostgreSQL, on one server in one run: transfers a second,
        latency, WAL and processor time per transfer, and the ratios that the design promises. Takes about ten minutes.
        Exit code: 0 measured (or, with --soak, clean), 1 books that do not add up, 2 the run could not be made.
        """;

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var quick = new Option<bool>("--quick") { Description = "Fewer and shorter rows, less than a minute in all." };
        var pgledger = new Option<string?>("--pgledger")
        {
            Description = "A checkout of pgledger, a public ledger in pure SQL. Without it that subject is left out.",
            HelpName = "FOLDER",
        };
        var json = new Option<string?>("--json") { Description = "Write the rows there, too.", HelpName = "FILE" };
        var postgres = new Option<string?>("--postgres")
        {
            Description = "A server to measure on, as its superuser; databases bench_* are made and dropped. Default: an embedded one.",
            HelpName = "CONNECTIONSTRING",
        };
        var accounts = new Option<int>("--accounts")
        {
            Description = "Accounts that take part.",
            DefaultValueFactory = _ => AccountsDefault,
            HelpName = "COUNT",
        };
        var keys = new Option<KeyKind>("--keys")
        {
            Description = "Idempotency keys: Random (UUIDv4, as most callers send) or Ordered (UUIDv7).",
            DefaultValueFactory = _ => KeyKind.Random,
        };
        var log = new Option<string>("--log")
        {
            Description = "Measure ledger and transparency log together, too: on or off; off is the default with --quick.",
            HelpName = "on|off",
        };
        log.AcceptOnlyFromAmong("on", "off");
        var only = new Option<OnlyRows?>("--only")
        {
            Description = "Measure these rows alone: log (ledger and transparency log together) or latency (at half of the top rate, "
                + "beside the lean SQL function's): one and a half or three minutes.",
            HelpName = "log|latency",
        };
        var patience = new Option<double>("--wait-for-calm")
        {
            Description = "Let each row wait so long, at most, for a second in which the rest of the machine is idle.",
            HelpName = "SECONDS",
        };
        var soak = new Option<double?>("--soak")
        {
            Description = "Instead of all rows: load the ledger for so long, a line every 10 s, and verify it at the end.",
            HelpName = "MINUTES",
        };
        var rate = new Option<double?>("--rate")
        {
            Description = "With --soak: transfers a second; default 80 % of the measured top rate.",
            HelpName = "RATE",
        };
        var command = new Command("ledger", Description) { quick, pgledger, json, postgres, accounts, keys, log, only, patience, soak, rate };
        command.SetAction((parsed, ct) =>
        {
            var options = new LedgerBenchOptions
            {
                Postgres = parsed.GetValue(postgres),
                Pgledger = parsed.GetValue(pgledger),
                Json = parsed.GetValue(json),
                Accounts = Math.Clamp(parsed.GetValue(accounts), 2, 10_000_000),
                Keys = parsed.GetValue(keys),
                Log = parsed.GetValue(only) switch
                {
                    null => parsed.GetValue(log) is { } given ? given == "on" : !parsed.GetValue(quick),
                    var rows => rows == OnlyRows.Log,
                },
                Only = parsed.GetValue(only),
                Patience = TimeSpan.FromSeconds(parsed.GetValue(patience)),
                Plan = parsed.GetValue(quick) ? LedgerPlan.Quick : LedgerPlan.Full,
            };
            var output = parsed.InvocationConfiguration.Output;
            return Guarded.RunAsync("ledger", parsed.InvocationConfiguration.Error, async () =>
            {
                if (parsed.GetValue(soak) is { } minutes)
                    return await new LedgerSoak(options, TimeSpan.FromMinutes(minutes), parsed.GetValue(rate), output).RunAsync(ct);
                await new LedgerBench(options, output).RunAsync(ct);
                return true;
            }, ct);
        });
        return command;
    }
}
