using System.Globalization;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Tiles;
using Lumora.Cli.Conflicts;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Audit;

/// <summary>Holds every checkpoint of the log that stands in a finalized memo against the tree: a fork shows here.</summary>
/// <param name="Matching">Anchored checkpoints that the tree confirms.</param>
/// <param name="Newest">The largest of them, or null.</param>
/// <param name="Size">Entries that were audited.</param>
/// <param name="GenesisHash">The cluster that was asked.</param>
/// <param name="Findings">What is wrong.</param>
/// <param name="Evidence">What shows it to others.</param>
/// <param name="Limit">Why not all transactions were looked through, or null.</param>
internal sealed record AnchorCheck(
    int Matching, MemoCheckpoint? Newest, long Size, string GenesisHash, IReadOnlyList<Finding> Findings, IReadOnlyList<ConflictEvidence> Evidence,
    string? Limit)
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "anchored";

    public static async Task<AnchorCheck> RunAsync(
        ILogSource source, ChainServer chain, TrustedKey key, SeenCheckpoint audited, AnchorEntries said, Action<long> progress,
        CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        var evidence = new List<ConflictEvidence>();
        var search = new ConflictSearch(key, source);
        var (found, limit) = await FindAsync(chain, key.Keys, said, findings, progress, cancellationToken);
        MemoCheckpoint? newest = null;
        var matching = 0;
        // What was anchored after the audited checkpoint is for the next audit.
        foreach (var memo in found.Where(memo => memo.Checkpoint.Size <= audited.Checkpoint.Size))
        {
            var (fault, shown) = await FaultAsync(search, chain, audited, memo, cancellationToken);
            if (shown is not null)
                evidence.Add(shown);
            if (fault is not null)
                findings.Add(new Finding(Claim, $"transaction {memo.Signature}", fault));
            else
            {
                matching++;
                newest = newest is null || memo.Checkpoint.Size > newest.Checkpoint.Size ? memo : newest;
            }
        }

        return new AnchorCheck(matching, newest, audited.Checkpoint.Size, chain.GenesisHash, findings, evidence, limit);
    }

    /// <summary>
    /// Every memo of the paying addresses, also those that the log keeps silent about, up to a limit; then those that the log says are
    /// finalized.
    /// </summary>
    private static async Task<(List<MemoCheckpoint> Found, string? Limit)> FindAsync(
        ChainServer chain, IReadOnlyList<VerifierKey> keys, AnchorEntries said, List<Finding> findings, Action<long> progress, CancellationToken cancellationToken)
    {
        var (found, limit) = (new List<MemoCheckpoint>(), (string?)null);
        var addresses = chain.IsAddressGiven || said.Payers.Count == 0 ? [chain.Address] : said.Payers;
        foreach (var address in addresses)
        {
            try
            {
                await foreach (var memo in MemoCheckpoints.SearchAsync(chain.Rpc, address, keys, until: null, cancellationToken))
                {
                    found.Add(memo);
                    progress(found.Count);
                }
            }
            catch (SearchLimitException reached)
            {
                limit = reached.Message;
            }
        }

        var known = found.Select(memo => memo.Signature).ToHashSet(StringComparer.Ordinal);
        foreach (var (index, signature) in said.Finalized.Where(anchor => !known.Contains(anchor.Signature)))
        {
            if (await MemoCheckpoints.ReadAsync(chain.Rpc, signature, keys, cancellationToken) is { } memo)
                found.Add(memo);
            else
                findings.Add(new Finding(
                    Claim, string.Create(CultureInfo.InvariantCulture, $"entry {index}"),
                    $"it says that transaction {signature} is finalized; the server {chain.Rpc.NodeAddress.Authority} (cluster {chain.GenesisHash}) has no such transaction with a checkpoint of this log"));
        }

        return (found, limit);
    }

    /// <summary>How well the log is anchored.</summary>
    public Claim ToClaim()
    {
        if (Findings.Count > 0)
            return new Claim(Claim, Standing.NotProven, Findings.Count == 1 ? "1 finding" : string.Create(CultureInfo.InvariantCulture, $"{Findings.Count} findings"));
        var limit = Limit is null ? "" : $"; {Limit}";
        if (Newest is null)
            return new Claim(Claim, Standing.NotProven, $"no finalized memo on the cluster {GenesisHash} holds a checkpoint of this log{limit}");
        return new Claim(Claim, Standing.ProvenOnChain, string.Create(
            CultureInfo.InvariantCulture,
            $"{Matching} finalized memos agree with the tree; the newest covers {Newest.Checkpoint.Size} of {Size} entries: transaction {Newest.Signature}, slot {Newest.Slot}, cluster {GenesisHash}{limit}"));
    }

    private static async Task<(string? Fault, ConflictEvidence? Evidence)> FaultAsync(
        ConflictSearch search, ChainServer chain, SeenCheckpoint audited, MemoCheckpoint memo, CancellationToken cancellationToken)
    {
        try
        {
            // All from one size: partial tiles of older sizes may be gone, tiles of the audited size are not.
            var anchored = new SeenCheckpoint(
                memo.Checkpoint, memo.Note, $"transaction {memo.Signature} on {chain.GenesisHash}", memo.BlockTime ?? audited.At);
            var (fault, evidence) = await search.CompareAsync(anchored, audited, cancellationToken);
            return (fault is null ? null : $"the log has signed and anchored another history: {fault}", evidence);
        }
        catch (Exception exception) when (exception is TileMissingException or FormatException)
        {
            return ($"its checkpoint of {memo.Checkpoint.Size} entries cannot be compared: {exception.Message}", null);
        }
    }
}
