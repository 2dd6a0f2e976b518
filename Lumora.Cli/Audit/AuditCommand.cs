using System.CommandLine;
using System.Globalization;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana.Rpc;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;

namespace Lumora.Cli.Audit;

/// <summary><c>lumora audit</c>: checks a whole log from its public files alone.</summary>
public static class AuditCommand
{
    private const int FindingsShown = 50;
    private const int EpochSecondsMax = 604_800;

    private const string Description =
        """
        Checks a whole log from its published files: entries, tiles, root, signature, streams, ledger, purchases, rewards, archived
        anchors, regions' checkpoints, export, what the server tells everybody, and with --rpc its anchors.
        Exit code: 0 all holds, 1 something does not (each line WRONG says what and where), 2 the audit could not be made.
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var (log, chain, trust, policy) = (new LogChoice(), new ChainChoice(), new TrustChoice(), new PinnedPolicy());
        var folder = new Option<string?>("--folder")
        {
            Description = "A copy of the log's files, or a host's home: read without any network.",
            HelpName = "DIR",
        };
        var report = new Option<string?>("--report")
        {
            Description = "Write the machine-readable report to this file.",
            HelpName = "FILE.json",
        };
        var state = new Option<string?>("--state")
        {
            Description = "Keep here what an audit has come to, and go on from there the next time, also after one that was broken off.",
            HelpName = "DIR",
        };
        var keepEvery = SecondsOption.Create(
            "--keep-every", "With --state: how often an audit that is not over keeps what it has come to. Default 60; 0 with every 256 entries.",
            otherwise: 60, least: 0);
        var evidence = new Option<string?>("--evidence")
        {
            Description = "Where evidence of forks and rewritten entries is written; beside the report when not given.",
            HelpName = "DIR",
        };
        var epochSeconds = new Option<int?>("--epoch-seconds")
        {
            Description = "How long an epoch is, as the operator publishes it (Lumora:Rewards:EpochSeconds); 86400 is supposed.",
            HelpName = "N",
        };
        var command = new Command("audit", Description)
        {
            log.Server, folder, log.Shard, log.Key, policy.Policy, trust.Trust, trust.TrustKey, log.Token, chain.Rpc, chain.Anchor, chain.Genesis, state, keepEvery, report,
            evidence, epochSeconds,
        };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async output =>
        {
            var shard = parsed.GetValue(log.Shard)!;
            var token = log.TokenOf(parsed);
            using var source = Source(parsed.GetValue(log.Server), parsed.GetValue(folder), shard, token);
            var chosen = await trust.ReadAsync(parsed, cancellationToken);
            var key = await policy.OfLogAsync(parsed, log, source, chosen, cancellationToken);
            var (opened, chainFault) = await ChainAsync(chain, parsed, chosen?.File, cancellationToken);
            using var solana = opened;
            var subject = new AuditSubject(
                source, shard, key, solana, Epochs(parsed.GetValue(epochSeconds) ?? chosen?.File.Body.EpochSeconds), parsed.GetValue(state), token is not null)
            {
                ChainFault = chainFault,
                Payer = chain.PayerOf(parsed, chosen?.File),
                Genesis = chain.GenesisOf(parsed, chosen?.File),
                Regions = await RegionsAsync(parsed, log, key, chosen?.File, cancellationToken),
                KeepEvery = TimeSpan.FromSeconds(parsed.GetValue(keepEvery)),
            };
            var (run, result) = await BarProgress.RunAsync(parsed.InvocationConfiguration.Error, async progress =>
            {
                var run = new AuditRun(subject, progress);
                return (run, await run.RunAsync(cancellationToken));
            });
            var file = parsed.GetValue(report);
            result = result with { Evidence = await WriteAsync(run, parsed.GetValue(evidence) ?? FolderOf(file), cancellationToken) };
            if (file is not null)
                await File.WriteAllBytesAsync(file, result.ToJson(), cancellationToken);
            Write(output, result);
            if (result.Findings.Count > 0)
                return ExitCodes.Findings;
            return result.Unable is { } reason ? throw new UnableException(reason) : ExitCodes.Clean;
        }));
        return command;
    }

    /// <summary>The keys of all logs that the caller has pinned, by their shards.</summary>
    private static async Task<ILookup<string, VerifierKey>> RegionsAsync(
        ParseResult parsed, LogChoice log, TrustedKey key, TrustFile? trust, CancellationToken cancellationToken) =>
        trust is not null
            ? trust.Body.Shards.SelectMany(shard => shard.Keys, (shard, one) => (shard.Name, Key: VerifierKey.Parse(one)))
                .ToLookup(one => one.Name, one => one.Key, StringComparer.Ordinal)
            : LogChoice.ByShard(log.IsKeyGiven(parsed) ? await log.GivenAsync(parsed, cancellationToken) : key.Policy?.LogKeys ?? []);

    private static ILogSource Source(string? server, string? folder, string shard, string? token) => (server, folder) switch
    {
        ({ } url, null) => new ServerLog(LogChoice.Address(url, "--server"), shard, token),
        (null, { } path) => new FolderLog(path, shard),
        _ => throw new UnableException("give either --server URL or --folder DIR."),
    };

    /// <summary>A server that is down costs the comparison with the chain and nothing else; one of another cluster was a wrong choice.</summary>
    private static async Task<(ChainServer? Chain, Exception? Fault)> ChainAsync(
        ChainChoice chain, ParseResult parsed, TrustFile? trust, CancellationToken cancellationToken)
    {
        try
        {
            return (await chain.OpenAsync(parsed, cancellationToken, trust), null);
        }
        catch (SolanaException fault)
        {
            return (null, fault);
        }
    }

    private static EpochLength Epochs(int? seconds) => seconds switch
    {
        null => EpochLength.Default,
        >= 1 and <= EpochSecondsMax => new EpochLength(seconds.Value, IsKnown: true),
        _ => throw new UnableException($"--epoch-seconds must be 1 to {EpochSecondsMax}."),
    };

    private static string FolderOf(string? report) =>
        report is null ? Directory.GetCurrentDirectory() : Path.GetDirectoryName(Path.GetFullPath(report))!;

    private static async Task<IReadOnlyList<string>> WriteAsync(AuditRun run, string folder, CancellationToken cancellationToken)
    {
        var files = new List<string>();
        foreach (var evidence in run.Evidence)
            files.Add(await evidence.WriteAsync(folder, cancellationToken));
        return [.. files.Distinct(StringComparer.Ordinal)];
    }

    private static void Write(TextWriter output, AuditReport report)
    {
        output.WriteLine($"Audit of {report.Source}");
        ClaimLines.Write(output, report.Claims);
        ClaimLines.Write(output, report.Findings.Take(FindingsShown));
        if (report.Findings.Count > FindingsShown)
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  … and {report.Findings.Count - FindingsShown} more; --report FILE has them all"));
        foreach (var file in report.Evidence)
            output.WriteLine($"  EVIDENCE         {file}: check it with lumora verify --evidence");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(report.Findings.Count switch { 0 => report.Unable is null ? "Clean" : "No findings", 1 => "1 finding", var count => $"{count} findings" })}: {report.Counts.Entries} entries, {report.Counts.Streams} streams, {report.Seconds:0.0} s."));
    }
}
