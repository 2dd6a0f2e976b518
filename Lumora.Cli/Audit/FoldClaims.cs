using System.Globalization;
using Lumora.Cli.Reports;

namespace Lumora.Cli.Audit;

/// <summary>Says what a fold of all entries has shown.</summary>
internal static class FoldClaims
{
    /// <summary>Data apart from its leaf has the hash that the leaf names.</summary>
    public const string DataClaim = "data_present";

    /// <summary>Ends the fold and adds its claims to <paramref name="verdict"/>.</summary>
    public static void Add(AuditVerdict verdict, AuditFold fold, EpochLength epochs)
    {
        var (streams, ledger, purchases, rewards) = (fold.Streams, fold.Ledger, fold.Purchases, fold.Rewards);
        verdict.Findings.AddRange(ledger.Finish());
        verdict.Findings.AddRange(fold.Archived.Finish());
        verdict.Claim(AuditRun.EntriesClaim, "every entry is a leaf of version 1 in its canonical spelling");
        if (fold.Detached > 0)
            verdict.Claim(DataClaim, string.Create(CultureInfo.InvariantCulture, $"{fold.Detached} long data apart from their leaves have the SHA-256 that the leaf names"));
        verdict.Claim(StreamCheck.Claim, string.Create(CultureInfo.InvariantCulture, $"{streams.Streams} streams without a gap or a double inside; no event twice"));
        if (fold.Erasures.Subjects > 0)
            verdict.Claim(ErasureCheck.Claim, fold.Erasures.Detail);
        if (ledger.Journals > 0)
            verdict.Claim(LedgerCheck.Claim, string.Create(CultureInfo.InvariantCulture, $"{ledger.Events} ledger events replayed: {ledger.Accounts} accounts sum to 0, no floor broken, one outcome for each key"));
        if (purchases.Purchases > 0 || verdict.Breaks(PurchaseCheck.Claim))
            verdict.Claim(PurchaseCheck.Claim, string.Create(
                CultureInfo.InvariantCulture,
                $"{purchases.Purchases} purchases: each price in its escrow before any of {purchases.Deliveries} hand-overs, paid out once and as agreed{(purchases.Pending > 0 ? $"; {purchases.Pending} with a transaction behind the last entry" : "")}"));
        if (rewards.Epochs > 0 || verdict.Breaks(RewardCheck.Claim))
            AddRewards(verdict, rewards, epochs);
        if (fold.Archived.Anchors > 0 || verdict.Breaks(ArchivedAnchors.Claim))
            AddArchived(verdict, fold.Archived);
        if (fold.Recorded.Regions > 0 || verdict.Breaks(RecordedCheckpoints.Claim))
            AddRecorded(verdict, fold.Recorded);
    }

    private static void AddArchived(AuditVerdict verdict, ArchivedAnchors archived)
    {
        if (archived.Unsigned > 0 && !verdict.Breaks(ArchivedAnchors.Claim))
            verdict.Claims.Add(new Claim(ArchivedAnchors.Claim, Standing.NotProven, string.Create(
                CultureInfo.InvariantCulture,
                $"{archived.Detail}; {archived.Unsigned} memos are signed by no key of the log that was given: give its earlier keys, too")));
        else
            verdict.Claim(ArchivedAnchors.Claim, archived.Detail);
    }

    private static void AddRecorded(AuditVerdict verdict, RecordedCheckpoints recorded)
    {
        var detail = string.Create(
            CultureInfo.InvariantCulture, $"{recorded.Checkpoints} checkpoints of {recorded.Regions} regions: each of its region's log, sizes grow, one root for each size");
        // Whose signature it is, only a key shows that comes from elsewhere.
        if (recorded.Unchecked is { Count: > 0 } open && !verdict.Breaks(RecordedCheckpoints.Claim))
            verdict.Claims.Add(new Claim(RecordedCheckpoints.Claim, Standing.NotProven, string.Create(
                CultureInfo.InvariantCulture,
                $"{detail}; not checked are the signatures of {string.Join(", ", open.Select(region => $"{region.Region} ({region.Checkpoints})"))}, of which no key is given: give it with --trust or one more --key")));
        else
            verdict.Claim(RecordedCheckpoints.Claim, $"{detail}; signed by it");
    }

    private static void AddRewards(AuditVerdict verdict, RewardCheck rewards, EpochLength epochs)
    {
        // No event says how long an epoch is, and the trust in a node depends on it.
        if (rewards.WeightsOpen > 0 && !verdict.Breaks(RewardCheck.Claim))
            verdict.Claims.Add(new Claim(RewardCheck.Claim, Standing.NotProven, string.Create(
                CultureInfo.InvariantCulture,
                $"{rewards.WeightsOpen} of {rewards.Epochs} epochs have weights that do not follow with epochs of {epochs.Seconds} s, a setting that is no event: give --epoch-seconds; all else follows")));
        else
            verdict.Claim(RewardCheck.Claim, string.Create(CultureInfo.InvariantCulture, $"{rewards.Epochs} epochs closed again from the contributions in the log: the same weights, amounts and roots, and paid so"));
    }
}
