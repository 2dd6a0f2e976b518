using System.CommandLine;
using Lumora.Chain.Solana.Rpc;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Trust;

/// <summary><c>lumora trust</c>: makes and reads the file that auditors pin.</summary>
public static class TrustCommand
{
    private const string Description =
        """
        The trust file: one signed file with everything that an auditor has to know beforehand. An operator makes it, auditors keep it.
        Exit code: 0 done or as it should be, 1 the file does not hold (lines WRONG say why), 2 it could not be done.
        """;

    /// <summary>The command with its three parts.</summary>
    public static Command Create() => new("trust", Description) { TrustMaking.Create(), Show(), Check() };

    private static Command Show()
    {
        var file = File();
        var command = new Command("show", "Shows what a trust file says, whoever signed it.") { file };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async output =>
        {
            Write(output, await TrustChoice.ReadAsync(parsed.GetValue(file)!, cancellationToken));
            return ExitCodes.Clean;
        }));
        return command;
    }

    private static Command Check()
    {
        var file = File();
        var choice = new TrustChoice();
        var (log, chain) = (new LogChoice(), new ChainChoice());
        var command = new Command("check", "Checks a trust file's signature, and what it says against a server and a cluster.")
        {
            file, choice.TrustKey, log.Server, chain.Rpc,
        };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async output =>
        {
            var trust = await TrustChoice.ReadAsync(parsed.GetValue(file)!, cancellationToken);
            if (parsed.GetValue(choice.TrustKey) is not { } given)
                throw new UnableException("give --trust-key with the operator's key; it comes from elsewhere than the file.");
            var check = new TrustCheck(trust);
            check.Signature(await LogChoice.ReadKeyAsync(given, "--trust-key", cancellationToken));
            if (parsed.GetValue(log.Server) is { } server)
                await check.ServerAsync(LogChoice.Address(server, "--server"), cancellationToken);
            if (parsed.GetValue(chain.Rpc) is { } rpc)
            {
                using var http = new HttpClient();
                await check.ClusterAsync(new RpcClient(http, LogChoice.Address(rpc, "--rpc")), cancellationToken);
            }

            output.WriteLine($"Trust file {parsed.GetValue(file)}");
            ClaimLines.Write(output, check.Claims);
            ClaimLines.Write(output, check.Findings);
            output.WriteLine(check.Findings.Count == 0 ? "Holds." : "Does not hold.");
            return check.Findings.Count == 0 ? ExitCodes.Clean : ExitCodes.Findings;
        }));
        return command;
    }

    private static Argument<string> File() => new("file") { Description = "The trust file." };

    private static void Write(TextWriter output, TrustFile trust)
    {
        var body = trust.Body;
        foreach (var signature in trust.Note.Signatures)
            output.WriteLine($"  signed by  {signature.KeyName} (key id {signature.KeyId:x8})");
        output.WriteLine($"  issued     {body.IssuedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z");
        foreach (var shard in body.Shards)
            foreach (var key in shard.Keys)
                output.WriteLine($"  log        {shard.Name}: {key}");
        foreach (var witness in body.Witnesses)
            output.WriteLine($"  witness    {witness}");
        foreach (var line in (body.Policy ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
            output.WriteLine($"  policy     {line}");
        foreach (var (name, value) in new[] { ("anchor", body.Anchor), ("genesis", body.Genesis), ("mint", body.Mint) })
            output.WriteLine($"  {name,-10} {value ?? "not named"}");
        output.WriteLine($"  epoch      {(body.EpochSeconds is { } seconds ? FormattableString.Invariant($"{seconds} s") : "not named")}");
    }
}
