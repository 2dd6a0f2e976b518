using System.CommandLine;
using Lumora.Chain.Notes;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;
using Lumora.Domain.Log;

namespace Lumora.Cli.Verify;

/// <summary>The part of <c>lumora verify</c> that is about composed proofs: from a file, or from a server for an event of a region.</summary>
/// <param name="log">Which keys.</param>
/// <param name="chain">Which addresses and cluster are pinned.</param>
internal sealed class ComposedVerifying(LogChoice log, ChainChoice chain)
{
    private const byte FirstByte = (byte)'{';

    /// <summary>Whether a file is a composed proof and not a <c>.tlog-proof</c>; the check itself says whether it is a good one.</summary>
    public static bool IsComposed(ReadOnlySpan<byte> file) => file.Length > 0 && file[0] == FirstByte;

    /// <summary>Checks the bytes of <paramref name="file"/>; null for an event that the file need not be about.</summary>
    public async Task<ComposedRun> CheckAsync(
        ParseResult parsed, string file, byte[] bytes, TrustedKey keys, Guid? expected, ChainServer? solana, CancellationToken cancellationToken)
    {
        var anchor = parsed.GetValue(chain.Anchor) ?? keys.Trust?.File.Body.Anchor;
        var run = new ComposedRun(keys, anchor is null ? [] : [anchor], parsed.GetValue(chain.Genesis) ?? keys.Trust?.File.Body.Genesis);
        if (run.CheckOffline(file, bytes, expected) is { } verified)
            await run.CheckAnchorAsync(solana, file, verified, cancellationToken);
        return run;
    }

    /// <summary>
    /// The keys of both logs: those that the caller gave or all of the trust file. With <paramref name="server"/> and without either, those
    /// that the two logs name themselves.
    /// </summary>
    /// <exception cref="UnableException">None are known.</exception>
    public async Task<TrustedKey> KeysAsync(
        ParseResult parsed, ChosenTrust? trust, PinnedPolicy policy, Uri? server, byte[] file, CancellationToken cancellationToken)
    {
        if (await policy.KeysAsync(parsed, log, trust, cancellationToken) is { } pinned)
            return pinned;
        if (server is null)
            throw new UnableException("the keys of both logs are not known: give --key for each, --policy or --trust.");
        var own = new List<VerifierKey>();
        foreach (var shard in Shards(file))
        {
            using var source = new ServerLog(server, shard, log.TokenOf(parsed));
            own.AddRange(await LogChoice.OwnAsync(source, cancellationToken) ?? []);
        }

        return own.Count > 0 ? new TrustedKey(own, IsPinned: false) : throw new UnableException("the server names no keys of the two logs: give them with --key.");
    }

    /// <summary>Keeps the file and the keys in <paramref name="folder"/>.</summary>
    public static async Task SaveAsync(
        TextWriter output, string folder, Guid id, byte[] file, TrustedKey keys, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var (proofFile, keyFile) = (Path.Combine(folder, $"{id}.composed-proof.json"), Path.Combine(folder, "logs.vkey"));
        await File.WriteAllBytesAsync(proofFile, file, cancellationToken);
        await File.WriteAllTextAsync(keyFile, string.Concat(keys.Keys.Select(key => $"{key}\n")), cancellationToken);
        await output.WriteLineAsync($"Saved. Without any network: lumora verify {proofFile} --key {keyFile}");
    }

    private static IEnumerable<string> Shards(byte[] file)
    {
        try
        {
            var proof = ComposedProof.Parse(file);
            return [.. ((ProvenEntry[])[proof.Region, proof.Global]).Select(entry => Leaf.Decode(System.Text.Encoding.UTF8.GetBytes(entry.Leaf)).Leaf.Shard)];
        }
        catch (FormatException exception)
        {
            throw new UnableException($"the server's composed proof is none: {exception.Message}", exception);
        }
    }
}
