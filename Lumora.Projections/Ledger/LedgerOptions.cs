namespace Lumora.Projections.Ledger;

/// <summary>Bounds of a ledger: its writer, its lease and what travels between hosts (<c>Lumora:Ledger</c>).</summary>
public sealed class LedgerOptions
{
    /// <summary>Requests that may wait; one more is answered "busy". 16 to 1,000,000, default 16,384.</summary>
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

    /// <summary>How long a holder may write after its last renewal. 500 ms to 60 s, default 1.2 s.</summary>
    /// <remarks>A dead writer is replaced within 2 s: what is left of its lease, one look, and the first commit.</remarks>
    public TimeSpan LeaseTime { get; set; } = TimeSpan.FromMilliseconds(1_200);

    /// <summary>How often the holder renews, and all others look. 50 ms to a third of the lease, default 300 ms.</summary>
    public TimeSpan LeaseRenewal { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// The URL at which other hosts reach this one, for example <c>http://10.0.0.5:5080</c>. Default: the first address
    /// that the server listens on; where that is every interface, loopback.
    /// </summary>
    public string? ForwardAddress { get; set; }

    /// <summary>How long a request looks for the writer before its outcome is called unknown. 1 to 60 s, default 10 s.</summary>
    public TimeSpan ForwardTimeLimit { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Requests that share a forwarded batch. 1 to 8,192, default 1,024. The same on all hosts.</summary>
    public int ForwardBatchMax { get; set; } = 1_024;

    /// <summary>Bytes of a forwarded batch. 64 KiB to 28 MB, default 16 MiB: a call of 8,192 has room. The same on all hosts.</summary>
    public int ForwardBytesMax { get; set; } = 16 * 1_024 * 1_024;

    /// <summary>Forwarded batches that are on their way at once. 1 to 16, default 4.</summary>
    public int ForwardsMax { get; set; } = 4;
}
