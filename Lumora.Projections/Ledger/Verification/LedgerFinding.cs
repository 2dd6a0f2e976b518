namespace Lumora.Projections.Ledger;

/// <summary>A place where the ledger is not what its journal says, or breaks one of its invariants.</summary>
/// <param name="Code">What kind, see <see cref="LedgerFindingCodes"/>.</param>
/// <param name="Where">Which one: a journal version, the key of a row, an account, an asset.</param>
/// <param name="Expected">What the journal says, rows as JSON; empty = it should not exist.</param>
/// <param name="Actual">What is there; empty = it is missing.</param>
public sealed record LedgerFinding(string Code, string Where, string Expected, string Actual);

/// <summary>What a verification saw.</summary>
/// <param name="Events">Journal events replayed.</param>
/// <param name="Findings">
/// The first findings, at most <see cref="LedgerVerifier.FindingsMax"/>; none = the ledger is sound.
/// </param>
public sealed record LedgerVerification(long Events, IReadOnlyList<LedgerFinding> Findings);

/// <summary>How far a replay is.</summary>
/// <param name="Replayed">The journal version that it reached.</param>
/// <param name="Of">Where the journal stood when it looked last.</param>
public sealed record LedgerProgress(long Replayed, long Of);

/// <summary>The stable codes of <see cref="LedgerFinding"/>: one for each invariant and one for each table.</summary>
public static class LedgerFindingCodes
{
    /// <summary>A journal version is missing.</summary>
    public const string JournalGap = "journal_gap";

    /// <summary>A journal version is there twice.</summary>
    public const string JournalDuplicate = "journal_duplicate";

    /// <summary>The journal's time falls.</summary>
    public const string JournalTime = "journal_time";

    /// <summary>An event cannot be read, or does not follow from the ones before it.</summary>
    public const string JournalEvent = "journal_event";

    /// <summary>A second outcome for one (actor, key).</summary>
    public const string OutcomeDuplicate = "outcome_duplicate";

    /// <summary>Balance − held is less than the floor.</summary>
    public const string FloorBroken = "floor_broken";

    /// <summary>Reversals moved more than the transaction that they reverse.</summary>
    public const string ReversalExceeded = "reversal_exceeded";

    /// <summary>The balances of an asset do not add up to 0.</summary>
    public const string SumNotZero = "sum_not_zero";

    /// <summary>What an account holds is not what is left of its open holds.</summary>
    public const string HeldDiffers = "held_differs";

    /// <summary>The two sides of a clearing pair are not what is in flight between the shards.</summary>
    public const string ClearingDiffers = "clearing_differs";

    /// <summary>A row of <c>ledger_account</c>.</summary>
    public const string AccountDiffers = "account_differs";

    /// <summary>A row of <c>ledger_outcome</c>.</summary>
    public const string OutcomeDiffers = "outcome_differs";

    /// <summary>A row of <c>ledger_entry</c>.</summary>
    public const string EntryDiffers = "entry_differs";

    /// <summary>A row of <c>ledger_hold</c>.</summary>
    public const string HoldDiffers = "hold_differs";

    /// <summary>A row of <c>ledger_reversal</c>.</summary>
    public const string ReversalDiffers = "reversal_differs";

    /// <summary>A row of <c>ledger_roll_up</c>.</summary>
    public const string RollUpDiffers = "roll_up_differs";

    /// <summary>A row of <c>ledger_time</c>.</summary>
    public const string TimeDiffers = "time_differs";

    /// <summary>The row of <c>ledger_fence</c>.</summary>
    public const string FenceDiffers = "fence_differs";

    /// <summary>The journal's row of <c>mt_streams</c>.</summary>
    public const string StreamDiffers = "stream_differs";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        JournalGap, JournalDuplicate, JournalTime, JournalEvent, OutcomeDuplicate, FloorBroken, ReversalExceeded,
        SumNotZero, HeldDiffers, ClearingDiffers, AccountDiffers, OutcomeDiffers, EntryDiffers, HoldDiffers,
        ReversalDiffers, RollUpDiffers, TimeDiffers, FenceDiffers, StreamDiffers,
    ];
}

/// <summary>Hands findings on as they are found, and knows when there are enough.</summary>
internal sealed class FindingSink(Action<LedgerFinding> found, int findingsMax)
{
    /// <summary>Findings so far.</summary>
    public int Count { get; private set; }

    /// <summary>How many more are wanted.</summary>
    public int Room => findingsMax - Count;

    public void Add(string code, string where, string expected, string actual)
    {
        if (Room <= 0)
            return;
        Count++;
        found(new LedgerFinding(code, where, expected, actual));
    }
}
