using System.CommandLine;
using Lumora.Chain.Notes;
using Lumora.Chain.Tiles;
using Lumora.Cli.Conflicts;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Cli.Trust;

namespace Lumora.Cli.Verify;

/// <summary><c>lumora verify</c>: checks that one event stands in the log.</summary>
public static class VerifyCommand
{
    private const string Description =
        """
        Checks that one event stands in a log: offline with PROOF, --leaf and --key; online with --server and --event; with --rpc on Solana too.
        A composed proof (docs/composed-proof.md) is one file, of an event of a region: it needs no --leaf, and the keys of both logs, by --key for
        each, --policy or --trust. With --server, --shard and --event of a region it is fetched, and kept with --save.
        With --evidence it checks, with the keys alone, that a file shows what an audit, a monitor or a witness has found.
        Exit code: 0 it holds (with --rpc: and is anchored), 1 it does not (lines WRONG say what and where), 2 the check could not be made.
        """;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var (log, chain, trust, policy) = (new LogChoice(), new ChainChoice(), new TrustChoice(), new PinnedPolicy());
        var proof = new Argument<string?>("proof")
        {
            Description = "A .tlog-proof file, or a composed proof.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var leaf = new Option<string?>("--leaf") { Description = "The entry's bytes (docs/leaf.md).", HelpName = "FILE" };
        var id = new Option<string?>("--event") { Description = "The event's id, a UUID.", HelpName = "ID" };
        var save = new Option<string?>("--save")
        {
            Description = "Keep leaf, proof and key in this folder; the proof is for the anchored checkpoint where one was found. Of a region's event: the composed proof and the keys.",
            HelpName = "DIR",
        };
        var conflict = new Option<string?>("--evidence")
        {
            Description = "An evidence file of lumora audit, monitor or witness.",
            HelpName = "FILE.json",
        };
        var command = new Command("verify", Description)
        {
            proof, leaf, conflict, log.Server, id, log.Shard, log.Key, policy.Policy, trust.Trust, trust.TrustKey, log.Token, chain.Rpc,
            chain.Anchor, chain.Genesis, save,
        };
        var composed = new ComposedVerifying(log, chain);
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, async output =>
        {
            var chosen = await trust.ReadAsync(parsed, cancellationToken);
            if (parsed.GetValue(conflict) is { } file)
                return await ConflictAsync(output, file, await log.KeyAsync(parsed, source: null, cancellationToken, chosen), cancellationToken);
            using var solana = await chain.OpenAsync(parsed, cancellationToken, chosen?.File);
            if (parsed.GetValue(log.Server) is not { } server)
            {
                if (parsed.GetValue(proof) is not { } proofFile)
                    throw new UnableException("give a composed proof, a .tlog-proof file and --leaf FILE, --server URL and --event ID, or --evidence FILE.");
                var bytes = await File.ReadAllBytesAsync(proofFile, cancellationToken);
                if (ComposedVerifying.IsComposed(bytes))
                {
                    var both = await composed.KeysAsync(parsed, chosen, policy, server: null, bytes, cancellationToken);
                    var run = await composed.CheckAsync(parsed, proofFile, bytes, both, expected: null, solana, cancellationToken);
                    return Write(output, proofFile, run.Claims, run.Findings, solana is not null);
                }

                if (parsed.GetValue(leaf) is not { } leafFile)
                    throw new UnableException("a .tlog-proof file needs --leaf FILE.");
                // A proof names its log itself: of several logs' keys those count.
                var pinned = (chosen is null ? await policy.KeysAsync(parsed, log, trust: null, cancellationToken) : null)
                    ?? await policy.OfLogAsync(parsed, log, source: null, chosen, cancellationToken);
                return await OfflineAsync(output, proofFile, bytes, leafFile, pinned, solana, cancellationToken);
            }

            if (parsed.GetValue(id) is not { } text || !Guid.TryParse(text, out var eventId))
                throw new UnableException("--server needs --event with the event's UUID.");
            var address = LogChoice.Address(server, "--server");
            using var source = new ServerLog(address, parsed.GetValue(log.Shard)!, log.TokenOf(parsed));
            if (await source.ReadAsync($"composed-proof/{eventId}", cancellationToken) is { } fetched)
            {
                var both = await composed.KeysAsync(parsed, chosen, policy, address, fetched, cancellationToken);
                var run = await composed.CheckAsync(parsed, $"composed-proof/{eventId}", fetched, both, eventId, solana, cancellationToken);
                if (parsed.GetValue(save) is { } folder && run.Findings.Count == 0)
                    await ComposedVerifying.SaveAsync(output, folder, eventId, fetched, both, cancellationToken);
                return Write(output, $"event {eventId} in {source.Name}", run.Claims, run.Findings, solana is not null);
            }

            var key = await policy.OfLogAsync(parsed, log, source, chosen, cancellationToken);
            return await OnlineAsync(output, source, eventId, key, solana, parsed.GetValue(save), cancellationToken);
        }));
        return command;
    }

    private static async Task<int> ConflictAsync(TextWriter output, string file, TrustedKey key, CancellationToken cancellationToken)
    {
        var evidence = ConflictEvidence.Parse(await File.ReadAllBytesAsync(file, cancellationToken), file);
        var check = new ConflictCheck(key);
        var shown = check.Run(evidence);
        output.WriteLine($"Evidence {file}");
        ClaimLines.Write(output, check.Claims);
        ClaimLines.Write(output, check.Findings);
        output.WriteLine(shown ? "Shown." : "Not shown.");
        return shown ? ExitCodes.Clean : ExitCodes.Findings;
    }

    private static async Task<int> OfflineAsync(
        TextWriter output, string proofFile, byte[] proof, string leafFile, TrustedKey key, ChainServer? chain, CancellationToken cancellationToken)
    {
        var evidence = new Evidence(
            proofFile, proof,
            leafFile, await File.ReadAllBytesAsync(leafFile, cancellationToken));
        var run = new VerifyRun(key);
        if (run.CheckOffline(evidence, expected: null) is { } good)
            await run.CheckAnchorAsync(chain, source: null, evidence.Leaf, good.Proof, good.Checkpoint, cancellationToken);
        return Write(output, proofFile, run.Claims, run.Findings, chain is not null);
    }

    private static async Task<int> OnlineAsync(
        TextWriter output, ServerLog source, Guid id, TrustedKey key, ChainServer? chain, string? save, CancellationToken cancellationToken)
    {
        var run = new VerifyRun(key);
        if (await FetchAsync(source, id, run, cancellationToken) is { } evidence
            && run.CheckOffline(evidence, id) is { } good)
        {
            var anchored = await run.CheckAnchorAsync(chain, source, evidence.Leaf, good.Proof, good.Checkpoint, cancellationToken);
            // An anchored checkpoint carries no cosignatures: where they are wanted, the published one is kept.
            var kept = key.Policy is { NeedsCosignatures: true } ? good.Proof : anchored ?? good.Proof;
            if (save is not null)
                await SaveAsync(output, save, id, evidence.Leaf, kept, key, cancellationToken);
        }

        return Write(output, $"event {id} in {source.Name}", run.Claims, run.Findings, chain is not null);
    }

    /// <summary>The proof, and the entry out of the bundle where the proof says that it stands.</summary>
    private static async Task<Evidence?> FetchAsync(ServerLog source, Guid id, VerifyRun run, CancellationToken cancellationToken)
    {
        var proofPath = $"proof/{id}";
        if (await source.ReadAsync(proofPath, cancellationToken) is not { } proof)
        {
            run.Findings.Add(new Finding("entry_in_tree", $"event {id}", $"{source.Name} has no proof for it: it is not in the log, or in no checkpoint yet"));
            return null;
        }

        try
        {
            var parsed = TlogProof.Parse(proof);
            var size = Checkpoint.Parse(SignedNote.Parse(parsed.Checkpoint.Span).Text).Size;
            if (TileId.At(TileId.Entries, parsed.Index / TileId.WidthMax, size) is not { } bundle || parsed.Index >= size)
                throw new FormatException($"The proof is for entry {parsed.Index}, its checkpoint has {size}.");
            var entries = EntryBundle.Decode(await source.ReadOrFullAsync(bundle, cancellationToken), bundle.Width);
            return new Evidence(
                proofPath, proof, $"entry {parsed.Index} of {bundle.Path}", entries[(int)(parsed.Index % TileId.WidthMax)].ToArray());
        }
        catch (Exception exception) when (exception is FormatException or TileMissingException)
        {
            run.Findings.Add(new Finding("entry_in_tree", $"{source.Name}/{proofPath}", exception.Message));
            return null;
        }
    }

    private static async Task SaveAsync(
        TextWriter output, string folder, Guid id, byte[] leaf, TlogProof proof, TrustedKey key, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var (leafFile, proofFile, keyFile) = (
            Path.Combine(folder, $"{id}.leaf.json"), Path.Combine(folder, $"{id}.tlog-proof"), Path.Combine(folder, "log.vkey"));
        await File.WriteAllBytesAsync(leafFile, leaf, cancellationToken);
        await File.WriteAllBytesAsync(proofFile, proof.ToBytes(), cancellationToken);
        await File.WriteAllTextAsync(keyFile, string.Concat(key.Keys.Select(one => $"{one}\n")), cancellationToken);
        await output.WriteLineAsync($"Saved. Without any network: lumora verify {proofFile} --leaf {leafFile} --key {keyFile}");
    }

    private static int Write(TextWriter output, string what, List<Claim> claims, List<Finding> findings, bool asksChain)
    {
        output.WriteLine($"Verify {what}");
        ClaimLines.Write(output, claims);
        ClaimLines.Write(output, findings);
        // Whoever asks the chain wants its answer: "not yet anchored" is no success then.
        var anchored = !asksChain || claims.Any(claim => claim.Standing == Standing.ProvenOnChain);
        var holds = findings.Count == 0 && anchored;
        output.WriteLine(holds ? "Holds." : findings.Count > 0 ? "Does not hold." : "Not anchored yet.");
        return holds ? ExitCodes.Clean : ExitCodes.Findings;
    }
}
