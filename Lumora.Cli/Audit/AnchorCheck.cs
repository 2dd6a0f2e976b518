using System.Globalization;
using Lumora.Chain.Log;
using Lumora.Chain.Notes;
using Lumora.Chain.Solana;
using Lumora.Chain.Solana.Rpc;
using Lumora.Chain.Verification;
using Lumora.Cli.Conflicts;
using Lumora.Cli.Logs;
using Lumora.Cli.Reports;
using Lumora.Domain.Kernel;

namespace Lumora.Cli.Audit;

/// <summary>Holds every checkpoint of the log that stands in a finalized memo against the tree: a fork shows here.</summary>
/// <param name="Matching">Anchored checkpoints that the tree confirms.</param>
/// <param name="Newest">The largest of them, or null.</param>
/// <param name="Size">Entries that were audited.</param>
/// <param name="GenesisHash">The cluster that was asked.</param>
/// <param name="Findings">What is wrong.</param>
/// <param name="Evidence">What shows it to others.</param>
/// <param name="Limits">What was not looked at, and why.</param>
internal sealed record AnchorCheck(
    int Matching, MemoCheckpoint? Newest, long Size, string GenesisHash, IReadOnlyList<Finding> Findings, IReadOnlyList<ConflictEvidence> Evidence,
    IReadOnlyList<string> Limits)
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
        var (found, limits) = await FindAsync(chain, key.Keys, said, findings, progress, cancellationToken);
        MemoCheckpoint? newest = null;
        var matching = 0;
        var ahead = found.Where(memo => memo.Checkpoint.Size > audited.Checkpoint.Size).ToList();
        if (ahead.Count > 0 && source.IsCopy)
            limits.Add(string.Create(CultureInfo.InvariantCulture, $"{ahead.Count} newer ones cover more than this copy of the log and were not compared"));
        else if (ahead.Count > 0)
            await AheadAsync(ahead);
        foreach (var memo in found.Except(ahead))
        {
            var (fault, shown) = await FaultAsync(search, chain, audited, memo, cancellationToken);
            if (shown is not null)
                evidence.Add(shown);
            if (fault is not null)
                findings.Add(new Finding(Claim, $"transaction {memo.Signature}", fault));
            else
                Matches(memo);
        }

        return new AnchorCheck(matching, newest, audited.Checkpoint.Size, chain.GenesisHash, findings, evidence, limits);

        // What is anchored was published before: the log has grown since it was read, or it shows less than it has signed.
        async Task AheadAsync(List<MemoCheckpoint> memos)
        {
            var now = await SeenNowAsync(source, key, audited, cancellationToken);
            if (now != audited && await search.JudgeAsync(audited, now, cancellationToken) is var (other, fork) && other is not null)
            {
                findings.Add(new Finding(Claim, "checkpoint", $"the log shows another history now: {other}"));
                evidence.AddRange(fork is null ? [] : [fork]);
            }

            foreach (var memo in memos)
            {
                if (memo.Checkpoint.Size > now.Checkpoint.Size)
                    findings.Add(new Finding(Claim, $"transaction {memo.Signature}", string.Create(
                        CultureInfo.InvariantCulture,
                        $"it anchors a checkpoint of {memo.Checkpoint.Size} entries, the log shows {now.Checkpoint.Size}: an old checkpoint, or another history")));
                else if (await FaultAsync(search, chain, now, memo, cancellationToken) is var (fault, shown) && fault is not null)
                {
                    findings.Add(new Finding(Claim, $"transaction {memo.Signature}", fault));
                    evidence.AddRange(shown is null ? [] : [shown]);
                }
                else
                    Matches(memo);
            }
        }

        void Matches(MemoCheckpoint memo)
        {
            matching++;
            newest = newest is null || memo.Checkpoint.Size > newest.Checkpoint.Size ? memo : newest;
        }
    }

    /// <summary>The log's checkpoint as it is served now; the audited one where that cannot be told.</summary>
    private static async Task<SeenCheckpoint> SeenNowAsync(
        ILogSource source, TrustedKey key, SeenCheckpoint audited, CancellationToken cancellationToken)
    {
        try
        {
            return await source.ReadAsync(LogPublisher.CheckpointPath, cancellationToken) is { } note
                ? audited with { Checkpoint = NoteVerifier.VerifyCheckpoint(note, key.Keys, []).Checkpoint, Note = note, At = DateTimeOffset.UtcNow }
                : audited;
        }
        catch (Exception exception) when (exception is VerificationException or FormatException)
        {
            return audited;
        }
    }

    /// <summary>
    /// Every memo of the paying addresses, also those that the log keeps silent about, up to a limit; then those that the log says are
    /// finalized.
    /// </summary>
    private static async Task<(List<MemoCheckpoint> Found, List<string> Limits)> FindAsync(
        ChainServer chain, IReadOnlyList<VerifierKey> keys, AnchorEntries said, List<Finding> findings, Action<long> progress, CancellationToken cancellationToken)
    {
        var (found, limits) = (new List<MemoCheckpoint>(), new List<string>());
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
                limits.Add(reached.Message);
            }
        }

        var known = found.Select(memo => memo.Signature).ToHashSet(StringComparer.Ordinal);
        var unknown = new List<FinalizedEntry>();
        foreach (var anchor in said.Finalized.Where(anchor => !known.Contains(anchor.Signature)))
        {
            if (await MemoCheckpoints.ReadAsync(chain.Rpc, anchor.Signature, keys, cancellationToken) is { } memo)
                found.Add(memo);
            else
                unknown.Add(anchor);
        }

        findings.AddRange(OtherBlocks(found, said, chain));

        // Most servers keep some days: what they have forgotten is no fault of the log.
        if (unknown.Count > 0 && await FirstBlockAsync(chain, cancellationToken) is > 0 and var first)
            limits.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{unknown.Count} transactions that the log calls finalized are not known to {chain.Rpc.NodeAddress.Authority}, which has forgotten all blocks before {first}: ask a server that keeps the whole history"));
        else
            findings.AddRange(unknown.Select(anchor => new Finding(
                Claim, string.Create(CultureInfo.InvariantCulture, $"entry {anchor.Index}"),
                $"it says that transaction {anchor.Signature} is finalized; the server {chain.Rpc.NodeAddress.Authority} (cluster {chain.GenesisHash}) has no such transaction with a checkpoint of this log")));
        return (found, limits);
    }

    /// <summary>What the log archives of a transaction's block is what the chain says.</summary>
    private static IEnumerable<Finding> OtherBlocks(List<MemoCheckpoint> found, AnchorEntries said, ChainServer chain)
    {
        var memos = found.DistinctBy(memo => memo.Signature, StringComparer.Ordinal).ToDictionary(memo => memo.Signature, StringComparer.Ordinal);
        foreach (var anchor in said.Finalized)
        {
            // The time of a block is not known everywhere.
            if (memos.GetValueOrDefault(anchor.Signature) is { } memo
                && (memo.Slot != (Int128)anchor.Slot || (anchor.BlockTime is { } archived && memo.BlockTime is { } told && archived != told)))
                yield return new Finding(Claim, string.Create(CultureInfo.InvariantCulture, $"entry {anchor.Index}"), string.Create(
                    CultureInfo.InvariantCulture,
                    $"it says that transaction {anchor.Signature} stands in slot {anchor.Slot} of {Time(anchor.BlockTime)}; {chain.Rpc.NodeAddress.Authority} says slot {memo.Slot} of {Time(memo.BlockTime)}"));
        }

        static string Time(DateTimeOffset? time) => time?.ToWire() ?? "an unknown time";
    }

    private static async Task<ulong> FirstBlockAsync(ChainServer chain, CancellationToken cancellationToken)
    {
        try
        {
            return await chain.Rpc.GetFirstAvailableBlockAsync(cancellationToken);
        }
        catch (RpcErrorException)
        {
            // A server that cannot tell is taken to have everything.
            return 0;
        }
    }

    /// <summary>How well the log is anchored.</summary>
    public Claim ToClaim()
    {
        if (Findings.Count > 0)
            return new Claim(Claim, Standing.NotProven, Findings.Count == 1 ? "1 finding" : string.Create(CultureInfo.InvariantCulture, $"{Findings.Count} findings"));
        var limit = string.Concat(Limits.Select(limit => $"; {limit}"));
        if (Newest is null)
            return new Claim(Claim, Standing.NotProven, $"no finalized memo on the cluster {GenesisHash} holds a checkpoint of this log{limit}");
        return new Claim(Claim, Standing.ProvenOnChain, string.Create(
            CultureInfo.InvariantCulture,
            $"{Matching} finalized memos agree with the tree; the newest covers {Math.Min(Newest.Checkpoint.Size, Size)} of {Size} entries: transaction {Newest.Signature}, slot {Newest.Slot}, cluster {GenesisHash}{limit}"));
    }

    private static async Task<(string? Fault, ConflictEvidence? Evidence)> FaultAsync(
        ConflictSearch search, ChainServer chain, SeenCheckpoint audited, MemoCheckpoint memo, CancellationToken cancellationToken)
    {
        var anchored = new SeenCheckpoint(
            memo.Checkpoint, memo.Note, $"transaction {memo.Signature} on {chain.GenesisHash}", memo.BlockTime ?? audited.At);
        // All from the larger size: partial tiles of older sizes may be gone, tiles of that size are not.
        var (fault, evidence) = await search.JudgeAsync(anchored, audited, cancellationToken);
        return (fault is null ? null : $"the log has signed and anchored another history: {fault}", evidence);
    }
}
