namespace Lumora.Projections.Ledger;

/// <summary>How this host stands to the journal of a shard.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="IsWriter">True while this host decides.</param>
/// <param name="HasWriter">True while some host holds the lease, as far as this one knows.</param>
/// <param name="Term">The lease's term, +1 with each take-over; 0 before the first.</param>
public sealed record LedgerStanding(string Shard, bool IsWriter, bool HasWriter, long Term);

/// <summary>Where this host takes forwarded requests.</summary>
public interface ILedgerAddress
{
    /// <summary>The URL that other hosts are told; null while the host does not listen yet.</summary>
    string? Current { get; }
}
