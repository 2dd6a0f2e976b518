using System.Globalization;
using Lumora.Chain.Merkle;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Tiles;
using Lumora.Chain.Verification;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Audit;

/// <summary>Holds every checkpoint of the log that stands in a finalized memo against the tree: a fork shows here.</summary>
/// <param name="Matching">Anchored checkpoints that the tree confirms.</param>
/// <param name="Newest">The largest of them, or null.</param>
/// <param name="Size">Entries that were audited.</param>
/// <param name="GenesisHash">The cluster that was asked.</param>
/// <param name="Findings">What is wrong.</param>
internal sealed record AnchorCheck(int Matching, MemoCheckpoint? Newest, long Size, string GenesisHash, IReadOnlyList<Finding> Findings)
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "anchored";

    public static async Task<AnchorCheck> RunAsync(
        ILogSource source, ChainServer chain, VerifierKey log, Checkpoint audited, AnchorEntries said, Action<long> progress,
        CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        var found = await FindAsync(chain, log, said, findings, progress, cancellationToken);
        MemoCheckpoint? newest = null;
        var matching = 0;
        // What was anchored after the audited checkpoint is for the next audit.
        foreach (var memo in found.Where(memo => memo.Checkpoint.Size <= audited.Size))
        {
            if (await FaultAsync(source, audited, memo, cancellationToken) is { } fault)
                findings.Add(new Finding(Claim, $"transaction {memo.Signature}", fault));
            else
            {
                matching++;
                newest = newest is null || memo.Checkpoint.Size > newest.Checkpoint.Size ? memo : newest;
            }
        }

        return new AnchorCheck(matching, newest, audited.Size, chain.GenesisHash, findings);
    }

    /// <summary>
    /// Every memo of the paying addresses, also those that the log keeps silent about; then those that the log says are finalized.
    /// </summary>
    private static async Task<List<MemoCheckpoint>> FindAsync(
        ChainServer chain, VerifierKey log, AnchorEntries said, List<Finding> findings, Action<long> progress, CancellationToken cancellationToken)
    {
        var found = new List<MemoCheckpoint>();
        var addresses = chain.IsAddressGiven || said.Payers.Count == 0 ? [chain.Address] : said.Payers;
        foreach (var address in addresses)
            await foreach (var memo in MemoCheckpoints.SearchAsync(chain.Rpc, address, log, cancellationToken))
            {
                found.Add(memo);
                progress(found.Count);
            }

        var known = found.Select(memo => memo.Signature).ToHashSet(StringComparer.Ordinal);
        foreach (var (index, signature) in said.Finalized.Where(anchor => !known.Contains(anchor.Signature)))
        {
            if (await MemoCheckpoints.ReadAsync(chain.Rpc, signature, log, cancellationToken) is { } memo)
                found.Add(memo);
            else
                findings.Add(new Finding(
                    Claim, string.Create(CultureInfo.InvariantCulture, $"entry {index}"),
                    $"it says that transaction {signature} is finalized; the server {chain.Rpc.NodeAddress} (cluster {chain.GenesisHash}) has no such transaction with a checkpoint of this log"));
        }

        return found;
    }

    /// <summary>How well the log is anchored.</summary>
    public Claim ToClaim()
    {
        if (Findings.Count > 0)
            return new Claim(Claim, Standing.NotProven, Findings.Count == 1 ? "1 finding" : string.Create(CultureInfo.InvariantCulture, $"{Findings.Count} findings"));
        if (Newest is null)
            return new Claim(Claim, Standing.NotProven, $"no finalized memo on the cluster {GenesisHash} holds a checkpoint of this log");
        return new Claim(Claim, Standing.ProvenOnChain, string.Create(
            CultureInfo.InvariantCulture,
            $"{Matching} finalized memos agree with the tree; the newest covers {Newest.Checkpoint.Size} of {Size} entries: transaction {Newest.Signature}, slot {Newest.Slot}, cluster {GenesisHash}"));
    }

    private static async Task<string?> FaultAsync(
        ILogSource source, Checkpoint audited, MemoCheckpoint memo, CancellationToken cancellationToken)
    {
        var size = memo.Checkpoint.Size;
        if (size == 0)
            return null;
        try
        {
            // All from one size: partial tiles of older sizes may be gone, tiles of the audited size are not.
            var proof = await new TreeReader(source, audited.Size).ConsistencyAsync(size, cancellationToken);
            ProofVerifier.VerifyConsistency(size, memo.Checkpoint.Root, audited.Size, audited.Root, proof);
            return null;
        }
        catch (VerificationException exception)
        {
            return $"the log has signed and anchored another history: {exception.Message}";
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            return $"its checkpoint of {size} entries cannot be compared: {exception.Message}";
        }
    }
}
