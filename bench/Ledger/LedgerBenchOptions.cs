namespace Lumora.Bench.Ledger;

/// <summary>What the command line asked for.</summary>
internal sealed record LedgerBenchOptions
{
    /// <summary>A server to measure on; null = an embedded one.</summary>
    public string? Postgres { get; init; }

    /// <summary>A checkout of pgledger; null = its rows are left out.</summary>
    public string? Pgledger { get; init; }

    /// <summary>Where the rows go as JSON; null = nowhere.</summary>
    public string? Json { get; init; }

    /// <summary>Accounts that take part, 2 to 10,000,000.</summary>
    public required int Accounts { get; init; }

    /// <summary>The callers' idempotency keys.</summary>
    public required KeyKind Keys { get; init; }

    /// <summary>Whether the row with the log is measured.</summary>
    public required bool Log { get; init; }

    /// <summary>The only rows that are measured; null = all.</summary>
    public OnlyRows? Only { get; init; }

    /// <summary>How long each row may wait for the rest of the machine to fall silent.</summary>
    public required TimeSpan Patience { get; init; }

    /// <summary>How long and how often.</summary>
    public required LedgerPlan Plan { get; init; }
}

/// <summary>Rows that can be measured alone.</summary>
internal enum OnlyRows
{
    /// <summary>Ledger and log together.</summary>
    Log,

    /// <summary>Latency at half of the top rate, beside the lean SQL function's at the same rate.</summary>
    Latency,
}

/// <summary>How long and how often rows are measured.</summary>
/// <param name="WarmUp">Before each window, at the row's own load.</param>
/// <param name="Window">Of each row.</param>
/// <param name="SweepWindow">Of the rows that look for a peer's best number of connections.</param>
/// <param name="LogWarmUp">How long ledger and log run together before that window, at least; see <see cref="Measuring.WarmCode"/>.</param>
/// <param name="LogWarmUpMax">And at most.</param>
/// <param name="LogWindow">How long the ledger is loaded while the log follows.</param>
/// <param name="Rounds">How often the compared rows are measured, each round all of them in turn.</param>
/// <param name="Callers">Of the uniform rows of this ledger.</param>
/// <param name="Connections">At which a peer's best is looked for.</param>
/// <param name="BatchConnections">The same for one that moves many transfers in a call: it needs fewer.</param>
/// <param name="Reads">Whether reads of a large ledger are measured, too.</param>
internal sealed record LedgerPlan(
    TimeSpan WarmUp, TimeSpan Window, TimeSpan SweepWindow, TimeSpan LogWarmUp, TimeSpan LogWarmUpMax,
    TimeSpan LogWindow, int Rounds,
    IReadOnlyList<int> Callers, IReadOnlyList<int> Connections, IReadOnlyList<int> BatchConnections, bool Reads)
{
    /// <summary>About ten minutes.</summary>
    public static LedgerPlan Full { get; } = new(
        TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(4),
        TimeSpan.FromSeconds(20),
        Rounds: 3,
        [1, 64, 512, 4_096], [1, 4, 8, 16, 32, 64], [1, 2, 4, 8], Reads: true);

    /// <summary>Less than a minute: a look, no judgement.</summary>
    public static LedgerPlan Quick { get; } = new(
        TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(4),
        TimeSpan.FromSeconds(4),
        Rounds: 1,
        [64, 512, 4_096], [8, 32], [2, 4], Reads: false);
}
