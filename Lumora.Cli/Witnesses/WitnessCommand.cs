using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Witnesses;
using Lumora.Chain.Witnessing;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.Configuration;

namespace Lumora.Cli.Witnesses;

/// <summary><c>lumora witness</c>: cosigns the checkpoints of logs, so that no log can show two histories.</summary>
public static class WitnessCommand
{
    private const int NameBytes = 8;
    private const string Ed25519 = "ed25519";
    private const string MlDsa = "ml-dsa-44";

    private const string Description =
        """
        Runs a witness (C2SP tlog-witness) until Ctrl-C or SIGTERM. It cosigns a checkpoint of a log that it knows once it was shown that
        the new tree extends the last one that it cosigned, and remembers that one on disk before it answers. Run it on another machine
        than the log, under another operator: a witness that the log's operator can set back proves nothing.

          POST /add-checkpoint                          cosigns a checkpoint
          GET  /<hex sha256 of the origin>/checkpoint   the last checkpoint that was cosigned
          GET  /healthz, /metrics                       for its operator: evidence of forks, by log

        It prints its key and a line for the policy file that names it (https://c2sp.org/tlog-policy). Its state must never be restored
        from a backup. Two checkpoints that contradict each other are kept below the state's folder: lumora verify --evidence shows them.
        Exit code: 0 stopped as asked, 2 it could not start.
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var log = new Option<string[]>("--log")
        {
            Description = "A log to cosign: its C2SP vkey, or a file that holds vkeys, one a line. May be given several times; two keys of one name are one log.",
            HelpName = "VKEY|FILE",
        };
        var policy = new Option<string?>("--policy")
        {
            Description = "A C2SP tlog-policy file: the logs of its log lines are cosigned.",
            HelpName = "FILE",
        };
        var listen = new Option<string>("--listen")
        {
            Description = "Where to listen. Another address than loopback is heard by everybody who can reach it; TLS is a proxy's work.",
            HelpName = "URL",
            DefaultValueFactory = _ => "http://127.0.0.1:5090",
        };
        var state = new Option<string?>("--state")
        {
            Description = "The folder of the last cosigned checkpoints; one process at a time holds it. Default: witness in the home folder.",
            HelpName = "DIR",
        };
        var keyFile = new Option<string?>("--key-file")
        {
            Description = "The private key, 32 bytes, mode 0600; made at the first start. Default: in the state folder witness.key, or witness.ml-dsa-44.key.",
            HelpName = "FILE",
        };
        var keyType = new Option<string>("--key-type")
        {
            Description = "How it cosigns: ed25519 (cosignature/v1), which every log reads, or ml-dsa-44 (subtree/v1), which quantum computers do not break. Another type is another witness: it has another key and another line in policies.",
            HelpName = "TYPE",
            DefaultValueFactory = _ => Ed25519,
        };
        keyType.AcceptOnlyFromAmong(Ed25519, MlDsa);
        var name = new Option<string?>("--name")
        {
            Description = "The key's name: your domain, with a path if you like. Never change it. Default: a name made from the key.",
            HelpName = "NAME",
        };
        var command = new Command("witness", Description) { log, policy, listen, state, keyFile, keyType, name };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async output =>
        {
            var address = LogChoice.Address(parsed.GetValue(listen)!, "--listen");
            if (address.Scheme != Uri.UriSchemeHttp)
                throw new UnableException("--listen takes http addresses only: put a proxy with a certificate in front for https.");
            var logs = await LogsAsync(parsed.GetValue(log) ?? [], parsed.GetValue(policy), cancellationToken);
            var folder = Path.GetFullPath(parsed.GetValue(state) ?? LumoraHome.From(new ConfigurationBuilder().Build()).Folder("witness"));
            Directory.CreateDirectory(folder);
            var kind = parsed.GetValue(keyType) == MlDsa ? SignatureKind.MlDsa44 : SignatureKind.CosignatureV1;
            if (kind == SignatureKind.MlDsa44 && logs.FirstOrDefault(key => Encoding.UTF8.GetByteCount(key.Name) > SubtreeV1.NameBytesMax) is { } tooLong)
                throw new UnableException($"--log: the name {tooLong.Name} is too long for --key-type {MlDsa}: it takes {SubtreeV1.NameBytesMax} bytes.");
            var ownFile = Path.Combine(folder, kind == SignatureKind.MlDsa44 ? "witness.ml-dsa-44.key" : "witness.key");
            using var signer = Signer(parsed.GetValue(keyFile) ?? ownFile, kind, parsed.GetValue(name));
            using var checkpoints = State(Path.Combine(folder, "checkpoints"));
            var errors = parsed.InvocationConfiguration.Error;
            var conflicts = new KeptConflicts(Path.Combine(folder, "evidence"), errors, TimeProvider.System);
            using var witness = new Witness(signer, logs, checkpoints, TimeProvider.System, conflicts);
            var names = logs.Select(key => key.Name).Distinct(StringComparer.Ordinal).ToList();
            await new WitnessServer(witness, new WitnessStanding(names, conflicts), errors).RunAsync(
                address, addresses => Announce(output, witness.Key, logs, folder, addresses.First()), cancellationToken);
            return ExitCodes.Clean;
        }));
        return command;
    }

    private static void Announce(TextWriter output, VerifierKey key, IEnumerable<VerifierKey> logs, string folder, string address)
    {
        foreach (var log in logs)
            output.WriteLine($"log      {log}");
        output.WriteLine($"state    {folder}");
        output.WriteLine($"key      {key}");
        output.WriteLine($"policy   witness w1 {key} {address}");
        output.WriteLine($"Listening at {address}");
        output.Flush();
    }

    private static async Task<IReadOnlyList<VerifierKey>> LogsAsync(string[] given, string? policy, CancellationToken cancellationToken)
    {
        var logs = new List<VerifierKey>();
        foreach (var item in given)
        {
            var lines = File.Exists(item) ? await File.ReadAllLinesAsync(item, cancellationToken) : [item];
            logs.AddRange(lines.Where(line => line.Trim().Length > 0).Select(line => Read(() => VerifierKey.Parse(line.Trim()), "--log")));
        }

        if (policy is not null)
        {
            var bytes = await File.ReadAllBytesAsync(policy, cancellationToken);
            logs.AddRange(Read(() => WitnessPolicy.Parse(bytes), "--policy").LogKeys);
        }

        if (logs.Find(log => log.Kind != SignatureKind.Ed25519) is { } wrong)
            throw new UnableException($"--log: {wrong.Name} is the key of a witness, not of a log.");
        return logs.Count > 0
            ? [.. logs.Distinct()]
            : throw new UnableException("a witness needs logs that it knows: give --log with the vkey that a log publishes (GET /log/<shard>/key), or --policy.");
    }

    private static NoteSigner Signer(string file, SignatureKind kind, string? name)
    {
        try
        {
            var seed = NoteSeed.ReadOrCreate(file);
            if (name is not null)
                return VerifierKey.IsName(name)
                    ? new NoteSigner(name, kind, seed)
                    : throw new UnableException($"--name \"{name}\" is no key name: it may not be empty nor hold spaces or '+'.");
            using var unnamed = new NoteSigner("unnamed", kind, seed);
            var own = Convert.ToHexStringLower(SHA256.HashData(unnamed.Verifier.PublicKey).AsSpan(0, NameBytes));
            return new NoteSigner($"lumora.invalid/witness/{own}", kind, seed);
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            throw new UnableException(exception.Message, exception);
        }
    }

    private static FolderCheckpointLock State(string folder)
    {
        try
        {
            return new FolderCheckpointLock(folder);
        }
        catch (LogRefusedException exception)
        {
            throw new UnableException($"another witness runs on {folder}.", exception);
        }
    }

    private static T Read<T>(Func<T> parse, string option)
    {
        try
        {
            return parse();
        }
        catch (FormatException exception)
        {
            throw new UnableException($"{option}: {exception.Message}", exception);
        }
    }
}
