using System.CommandLine;
using System.Text;
using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Verification;
using Lumora.Chain.Witnesses;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Kernel;

namespace Lumora.Cli.Trust;

/// <summary><c>lumora trust make</c>: on the operator's machine, from a home.</summary>
internal static class TrustMaking
{
    private const string KeyFile = "trust.key";

    private const string Description =
        """
        Makes a trust file from a host's home: log keys, anchor address, on a local chain the mint; the rest is given by options.
        It is signed by a key of its own, <home>/keys/trust.key, made at the first time; its vkey is printed: publish it apart from the server.
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var home = new Option<string>("--home") { Description = "The host's home.", HelpName = "DIR", Required = true };
        var output = new Option<string>("--out") { Description = "Where the trust file is written.", HelpName = "FILE", Required = true };
        var policy = new Option<string?>("--policy") { Description = "A C2SP tlog-policy file: the witnesses and how many of them are enough.", HelpName = "FILE" };
        var anchor = new Option<string?>("--anchor") { Description = "The address that pays for anchors; that of the home when not given.", HelpName = "ADDRESS" };
        var genesis = new Option<string?>("--genesis") { Description = "The genesis hash of the cluster that anchors stand on.", HelpName = "HASH" };
        var rpc = new Option<string?>("--rpc") { Description = "Or a server that says it.", HelpName = "URL" };
        var mint = new Option<string?>("--mint") { Description = "The address of the LMR token; that of the home on a local chain.", HelpName = "ADDRESS" };
        var epochSeconds = new Option<int?>("--epoch-seconds") { Description = "Lumora:Rewards:EpochSeconds of the host.", HelpName = "N" };
        var withEarlier = new Option<bool>("--with-earlier-keys")
        {
            Description = "Name keys too that were replaced: auditors find then what they have anchored. Not after a key was stolen.",
        };
        var command = new Command("make", Description) { home, output, policy, anchor, genesis, rpc, mint, epochSeconds, withEarlier };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async writer =>
        {
            var folder = Path.GetFullPath(parsed.GetValue(home)!);
            var shards = await ShardsAsync(folder, parsed.GetValue(withEarlier), cancellationToken);
            var text = parsed.GetValue(policy) is { } file ? await File.ReadAllTextAsync(file, cancellationToken) : null;
            var body = new TrustBody(
                TrustFile.FormatName, Moment.Truncate(DateTimeOffset.UtcNow), shards, Witnesses(text), text,
                parsed.GetValue(anchor) ?? AddressIn(folder, "solana-anchor.json"),
                parsed.GetValue(genesis) ?? await GenesisAsync(parsed.GetValue(rpc), cancellationToken),
                parsed.GetValue(mint) ?? AddressIn(folder, "solana-mint.json"), parsed.GetValue(epochSeconds));
            using var signer = Signer(folder, shards[0]);
            var path = Path.GetFullPath(parsed.GetValue(output)!);
            await new FolderBlobStore(Path.GetDirectoryName(path)!).ReplaceAsync(Path.GetFileName(path), Sign(body, signer), cancellationToken);
            writer.WriteLine($"Written: {path}");
            writer.WriteLine($"Its signer, for --trust-key: {signer.Verifier}");
            return ExitCodes.Clean;
        }));
        return command;
    }

    /// <summary>The shards whose published checkpoint the home's own key has signed.</summary>
    private static async Task<IReadOnlyList<TrustShard>> ShardsAsync(string home, bool withEarlier, CancellationToken cancellationToken)
    {
        var logs = Path.Combine(home, "log");
        var shards = new List<TrustShard>();
        foreach (var log in Directory.Exists(logs) ? Directory.GetDirectories(logs).Order(StringComparer.Ordinal).ToArray() : [])
        {
            var name = Path.GetFileName(log);
            var keyFile = Path.Combine(home, "keys", $"log-{name}.key");
            if (!File.Exists(keyFile) || await new FolderBlobStore(log).ReadAsync(LogPublisher.CheckpointPath, cancellationToken) is not { } note)
                continue;
            try
            {
                var origin = Checkpoint.Parse(SignedNote.Parse(note).Text).Origin;
                using var signer = new NoteSigner(origin, SignatureKind.Ed25519, NoteSeed.Read(keyFile));
                NoteVerifier.VerifyCheckpoint(note, signer.Verifier);
                shards.Add(new TrustShard(name, [signer.Verifier.ToString(), .. Others(home, name, signer.Verifier, note, withEarlier)]));
            }
            catch (Exception exception) when (exception is FormatException or VerificationException or InvalidOperationException)
            {
                throw new UnableException($"{log}: {exception.Message}", exception);
            }
        }

        return shards.Count > 0
            ? shards
            : throw new UnableException($"{home} holds no published log with its key: start the host once and let it log an event.");
    }

    /// <summary>The next key, while it signs beside the log's own; and those that have signed before, where they are asked for.</summary>
    private static IEnumerable<string> Others(string home, string shard, VerifierKey own, byte[] note, bool withEarlier)
    {
        var lines = SignedNote.Parse(note).Signatures;
        return LogKeys.Known(home, shard, own.Name)
            .Where(key => !key.Equals(own) && (withEarlier || lines.Any(line => line.IsOf(key)))).Select(key => key.ToString());
    }

    private static IReadOnlyList<string> Witnesses(string? policy)
    {
        try
        {
            return policy is null ? [] : [.. WitnessPolicy.Parse(Encoding.UTF8.GetBytes(policy)).WitnessKeys.Select(key => key.ToString())];
        }
        catch (FormatException exception)
        {
            throw new UnableException($"--policy: {exception.Message}", exception);
        }
    }

    private static string? AddressIn(string home, string file)
    {
        var path = Path.Combine(home, "keys", file);
        return File.Exists(path) ? KeypairFile.Load(path).PublicKey.ToString() : null;
    }

    private static async Task<string?> GenesisAsync(string? rpc, CancellationToken cancellationToken)
    {
        if (rpc is null)
            return null;
        using var http = new HttpClient();
        return await new RpcClient(http, LogChoice.Address(rpc, "--rpc")).GetGenesisHashAsync(cancellationToken);
    }

    // The name of a log's key is <origin>/<shard>.
    private static NoteSigner Signer(string home, TrustShard shard)
    {
        try
        {
            var seed = NoteSeed.ReadOrCreate(Path.Combine(home, "keys", KeyFile));
            return new NoteSigner($"{VerifierKey.Parse(shard.Keys[0]).Name[..^(shard.Name.Length + 1)]}/trust", SignatureKind.Ed25519, seed);
        }
        catch (Exception exception) when (exception is InvalidOperationException or FormatException or ArgumentException)
        {
            throw new UnableException($"{KeyFile}: {exception.Message}", exception);
        }
    }

    private static byte[] Sign(TrustBody body, NoteSigner signer)
    {
        try
        {
            return TrustFile.Sign(body, signer);
        }
        catch (FormatException exception)
        {
            throw new UnableException(exception.Message, exception);
        }
    }
}
