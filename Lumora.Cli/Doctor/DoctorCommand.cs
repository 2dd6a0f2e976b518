using System.CommandLine;
using System.Globalization;
using Lumora.Chain.Solana.Rpc;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Doctor;

/// <summary><c>lumora doctor</c>: says whether an installation is well, and what to do where it is not.</summary>
public static class DoctorCommand
{
    private const string DefaultServer = "http://127.0.0.1:5080";

    private const string Description =
        """
        Examines an installation: home folder, key files, host, database, chain, log, tools; says ok, warn or FAIL, and what to do.
        Exit code: 0 nothing failed (warnings are allowed), 1 something failed, 2 the examination could not be made.
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var (log, chain) = (new LogChoice(), new ChainChoice());
        var home = new Option<string?>("--home")
        {
            Description = "The host's home on this machine. Default: LUMORA_HOME, else the user's.",
            HelpName = "DIR",
        };
        var command = new Command("doctor", Description) { log.Server, home, log.Shard, log.Key, log.Token, chain.Rpc };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async output =>
        {
            var server = LogChoice.Address(parsed.GetValue(log.Server) ?? DefaultServer, "--server");
            List<Diagnosis> all = [.. HomeExamination.Examine(parsed.GetValue(home))];
            all.AddRange(await ServerExamination.ExamineAsync(server, cancellationToken));
            if (all.All(diagnosis => diagnosis is not { Area: "server", Health: Health.Fail }))
            {
                using var source = new ServerLog(server, parsed.GetValue(log.Shard)!, log.TokenOf(parsed));
                var pinned = !log.IsKeyGiven(parsed) ? null : await log.KeyAsync(parsed, source: null, cancellationToken);
                all.AddRange(await LogExamination.ExamineAsync(source, pinned, TimeProvider.System, cancellationToken));
            }

            all.AddRange(await ChainAsync(parsed, chain, cancellationToken));
            all.AddRange(await ToolExamination.ExamineAsync(cancellationToken));
            return Write(output, all);
        }));
        return command;
    }

    private static async Task<IReadOnlyList<Diagnosis>> ChainAsync(
        ParseResult parsed, ChainChoice chain, CancellationToken cancellationToken)
    {
        try
        {
            using var solana = await chain.OpenAsync(parsed, cancellationToken);
            if (solana is null)
                return [];
            var slot = await solana.Rpc.GetSlotAsync(ct: cancellationToken);
            return [new Diagnosis("chain", Health.Ok, string.Create(CultureInfo.InvariantCulture, $"{solana.Rpc.NodeAddress.Authority} serves the cluster {solana.GenesisHash}, finalized slot {slot}"))];
        }
        catch (SolanaException exception)
        {
            return [new Diagnosis("chain", Health.Fail, exception.Message, "give a Solana RPC server that answers with --rpc")];
        }
    }

    private static int Write(TextWriter output, List<Diagnosis> all)
    {
        foreach (var diagnosis in all)
        {
            var label = diagnosis.Health switch { Health.Ok => "ok", Health.Warn => "warn", _ => "FAIL" };
            output.WriteLine($"  {label,-5} {diagnosis.Area,-14} {diagnosis.What}");
            if (diagnosis.Remedy is { } remedy)
                output.WriteLine($"        {"",-14} → {remedy}");
        }

        var failed = all.Count(diagnosis => diagnosis.Health == Health.Fail);
        var warned = all.Count(diagnosis => diagnosis.Health == Health.Warn);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{failed} failed, {warned} to look at, {all.Count} examined."));
        return failed == 0 ? ExitCodes.Clean : ExitCodes.Findings;
    }
}
