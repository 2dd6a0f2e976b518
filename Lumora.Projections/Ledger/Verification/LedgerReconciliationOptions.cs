namespace Lumora.Projections.Ledger;

/// <summary>How the running ledger is compared with its journal (<c>Lumora:Ledger:Reconciliation</c>).</summary>
public sealed class LedgerReconciliationOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Lumora:Ledger:Reconciliation";

    /// <summary>Whether this host does it. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>From one look at what is new to the next. 100 ms to 1 h, default 5 s.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>From one verification of the whole journal to the next. 1 s to 30 days, default 1 day.</summary>
    public TimeSpan FullInterval { get; set; } = TimeSpan.FromDays(1);

    /// <summary>The same, as long as something differs: payouts wait for a clean pass. 1 s to 1 day, default 1 minute.</summary>
    public TimeSpan FullIntervalAfterFindings { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Journal events that are derived and compared at once. 1 to 100,000, default 30,000, what a busy ledger posts in an
    /// <see cref="Interval"/>: the accounts that they touch are read, compared and written once for all of them.
    /// </summary>
    public int ChunkEvents { get; set; } = 30_000;

    /// <summary>
    /// Journal events derived in a second, in either pass. 100 to 1,000,000, default 10,000: more than the ledger is
    /// expected to post for long, and a part of one core.
    /// </summary>
    public int EventsPerSecondMax { get; set; } = 10_000;

    /// <summary>Accounts in memory during a full pass. 1,000 to 10,000,000, default 100,000.</summary>
    public int AccountsInMemoryMax { get; set; } = 100_000;
}
