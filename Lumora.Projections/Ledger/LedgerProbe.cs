namespace Lumora.Projections.Ledger;

/// <summary>The points of a commit at which a crash must do no harm.</summary>
public enum CommitPoint
{
    /// <summary>Decided; nothing written.</summary>
    BeforeAppend,

    /// <summary>All is written; not committed.</summary>
    AfterAppend,

    /// <summary>Committed; nobody knows yet.</summary>
    AfterCommit,
}

/// <summary>Stands between the steps of a commit. Registered by tests, and by a development host that is asked to.</summary>
public interface ILedgerProbe
{
    /// <summary>Called at each point of each batch; an exception is a crash at that point.</summary>
    /// <param name="point">Where the writer stands.</param>
    /// <param name="backend">PostgreSQL's process id of the writer's connection.</param>
    /// <param name="ct">Cancelled when the writer is given up.</param>
    ValueTask ReachedAsync(CommitPoint point, int backend, CancellationToken ct);

    /// <summary>Called before each look at the lease: who waits here neither renews nor takes it, as a frozen host.</summary>
    /// <param name="ct">Cancelled when the host stops.</param>
    ValueTask LookingAsync(CancellationToken ct) => ValueTask.CompletedTask;
}
