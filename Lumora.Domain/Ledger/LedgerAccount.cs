using System.Runtime.InteropServices;

namespace Lumora.Domain.Ledger;

/// <summary>Whether an account takes part.</summary>
public enum AccountStatus
{
    /// <summary>Pays and is paid.</summary>
    Open,

    /// <summary>Stopped by a steward; can be lifted.</summary>
    Frozen,

    /// <summary>Ended for good; its balance is 0.</summary>
    Closed,
}

/// <summary>An account as the journal has left it. Invariant: balance − held ≥ floor.</summary>
/// <param name="Number">1, 2, 3, … in the order in which the shard's accounts were opened.</param>
/// <param name="Key">Code and asset.</param>
/// <param name="Balance">Credits − debits, in base units.</param>
/// <param name="Held">Part of the balance that is promised, in base units, never negative.</param>
/// <param name="Floor">The least that balance − held may be; null = unbounded.</param>
/// <param name="Status">Whether it takes part.</param>
/// <param name="Version">Journal version of the last event that touched it.</param>
public sealed record LedgerAccount(
    long Number, AccountKey Key, long Balance, long Held, long? Floor, AccountStatus Status, long Version)
{
    /// <summary>True when the floor rule holds.</summary>
    public bool RespectsFloor => Floor is not { } floor || (Int128)Balance - Held >= floor;
}

/// <summary>One side of a posting as it stands in an account's statement.</summary>
/// <param name="Account">The account's number.</param>
/// <param name="JournalVersion">The transaction's place in the journal.</param>
/// <param name="Line">2·index of the posting for the payer's side, 2·index + 1 for the payee's.</param>
/// <param name="Amount">Base units: negative for the payer, positive for the payee.</param>
/// <param name="Balance">The account's balance after it.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct LedgerEntry(long Account, long JournalVersion, short Line, long Amount, long Balance);

/// <summary>An event of the journal with the metadata that replay needs.</summary>
/// <param name="Version">1, 2, 3, … without holes.</param>
/// <param name="Actor">Who asked.</param>
/// <param name="At">The ledger's time, never falling.</param>
/// <param name="Event">One of the ledger's events.</param>
public sealed record JournalEvent(long Version, string Actor, DateTimeOffset At, object Event);
