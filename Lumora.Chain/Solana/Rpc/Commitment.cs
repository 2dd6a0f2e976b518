namespace Lumora.Chain.Solana.Rpc;

/// <summary>How sure a read must be; ordered.</summary>
public enum Commitment
{
    /// <summary>In the newest block; may vanish.</summary>
    Processed,

    /// <summary>Voted for by a supermajority; vanishes hardly ever.</summary>
    Confirmed,

    /// <summary>Rooted; never vanishes.</summary>
    Finalized,
}
