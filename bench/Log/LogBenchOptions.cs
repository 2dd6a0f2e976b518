namespace Lumora.Bench.Log;

/// <summary>What the command line asked for.</summary>
internal sealed record LogBenchOptions
{
    /// <summary>A server to measure on; null = an embedded one.</summary>
    public string? Postgres { get; init; }

    /// <summary>Where the rows go as JSON; null = nowhere.</summary>
    public string? Json { get; init; }

    /// <summary>Events of the log that is caught up with, 50,000 to 10,000,000.</summary>
    public required int Events { get; init; }

    /// <summary>Leaves of a log that the database makes; null: a log of real events.</summary>
    public long? Made { get; init; }

    /// <summary>The longest wait for a calm machine and for compiled code.</summary>
    public required TimeSpan Patience { get; init; }

    /// <summary>Transfers whose delay is measured, in each of the two rows.</summary>
    public required int DelaySamples { get; init; }
}
