namespace Lumora.Projections.Ledger;

/// <summary>Bounds of a ledger writer (<c>Lumora:Ledger</c>).</summary>
public sealed class LedgerOptions
{
    /// <summary>Requests that may wait; one more is answered "busy". 1 to 1,000,000, default 16,384.</summary>
    public int QueueLengthMax { get; set; } = 16_384;

    /// <summary>Requests that share a commit. 1 to 8,192, default 8,192.</summary>
    public int BatchSizeMax { get; set; } = 8_192;

    /// <summary>Accounts kept in memory between batches. 0 to 10,000,000, default 100,000.</summary>
    public int CachedAccountsMax { get; set; } = 100_000;

    /// <summary>Recorded refusals that one actor may cause in a minute before it is told to wait. Default 600.</summary>
    public int RefusalsPerMinuteMax { get; set; } = 600;

    /// <summary>What a caller is told to wait when the queue is full. Default 250 ms.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often a batch is tried while the database is away. Default 5.</summary>
    public int AttemptsMax { get; set; } = 5;

    /// <summary>The first pause between such attempts; it doubles. Default 100 ms.</summary>
    public TimeSpan AttemptPause { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How often holds whose deadline has passed are looked for. Default 1 s.</summary>
    public TimeSpan HoldSweepEvery { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long shutdown waits for queued requests. Default 20 s.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);
}
