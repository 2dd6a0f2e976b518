namespace Lumora.Chain.Anchoring;

/// <summary>When a checkpoint is anchored; bound to <c>Anchoring:…</c>.</summary>
public sealed class AnchoringOptions
{
    /// <summary>Longest wait of a new leaf for the next anchor, in milliseconds, 50 to 3,600,000. Default 10,000.</summary>
    public int IntervalMs { get; set; } = 10_000;

    /// <summary>New leaves that call for an anchor at once, 1 to 1,000,000. Default 1,000.</summary>
    public int LeavesMax { get; set; } = 1_000;

    /// <summary>Pause between two looks at the chain, in milliseconds, 10 to 60,000. Default 500.</summary>
    public int PollMs { get; set; } = 500;

    /// <summary>What is wrong with the settings, naming the key; null when nothing is.</summary>
    public string? Fault()
    {
        if (IntervalMs is < 50 or > 3_600_000)
            return "Anchoring:IntervalMs must be 50 to 3600000.";
        if (LeavesMax is < 1 or > 1_000_000)
            return "Anchoring:LeavesMax must be 1 to 1000000.";
        return PollMs is < 10 or > 60_000 ? "Anchoring:PollMs must be 10 to 60000." : null;
    }
}
