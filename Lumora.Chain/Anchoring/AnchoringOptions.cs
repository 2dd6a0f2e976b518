using System.Globalization;

namespace Lumora.Chain.Anchoring;

/// <summary>When a checkpoint is anchored and what that may cost; bound to <c>Anchoring:…</c>.</summary>
public sealed class AnchoringOptions
{
    private const long PriceMax = 1_000_000_000;
    private const int UnitsMax = 1_400_000;
    private const long LamportsMax = 1_000_000_000_000_000;
    private const string NoFee = "none";
    private const string AutomaticFee = "auto";

    /// <summary>Longest wait of a new leaf for the next anchor, in milliseconds, 50 to 3,600,000. Default 10,000.</summary>
    public int IntervalMs { get; set; } = 10_000;

    /// <summary>New leaves that call for an anchor at once, 1 to 1,000,000. Default 1,000.</summary>
    public int LeavesMax { get; set; } = 1_000;

    /// <summary>Pause between two looks at the chain, in milliseconds, 10 to 60,000. Default 500.</summary>
    public int PollMs { get; set; } = 500;

    /// <summary>
    /// Priority fee of a transaction in micro-lamports (millionths of a lamport) a compute unit, 0 to 1,000,000,000; <c>none</c>; or
    /// <c>auto</c>: what three of four transactions paid at most lately, up to <see cref="PriorityFeeMax"/>. Default none.
    /// </summary>
    public string PriorityFee { get; set; } = NoFee;

    /// <summary>The most that <c>auto</c> pays, in micro-lamports a compute unit, 0 to 1,000,000,000. Default 1,000,000.</summary>
    public long PriorityFeeMax { get; set; } = 1_000_000;

    /// <summary>
    /// Compute units that a transaction asks for, 0 or 1,000 to 1,400,000; the priority fee is paid for each of them. 0: the
    /// transaction does not say, and the cluster's own default holds. Default 200,000.
    /// </summary>
    public int ComputeUnitLimit { get; set; } = 200_000;

    /// <summary>
    /// The anchor wallet is low below this many lamports, 0 to 10¹⁵: health says <c>anchor_wallet_low</c>, anchors go on. 0: never. Default
    /// 100,000,000, two days at the default cadence without a priority fee.
    /// </summary>
    public long LowBalanceLamports { get; set; } = 100_000_000;

    internal bool IsPriorityFeeAutomatic => string.Equals(PriorityFee, AutomaticFee, StringComparison.OrdinalIgnoreCase);

    internal long PriorityFeeMicroLamports =>
        long.TryParse(PriorityFee, NumberStyles.None, CultureInfo.InvariantCulture, out var price) ? price : 0;

    private bool IsPriorityFeeKnown => IsPriorityFeeAutomatic
        || string.Equals(PriorityFee, NoFee, StringComparison.OrdinalIgnoreCase)
        || (long.TryParse(PriorityFee, NumberStyles.None, CultureInfo.InvariantCulture, out var price) && price <= PriceMax);

    /// <summary>What is wrong with the settings, naming the key; null when nothing is.</summary>
    public string? Fault()
    {
        if (IntervalMs is < 50 or > 3_600_000)
            return "Anchoring:IntervalMs must be 50 to 3600000.";
        if (LeavesMax is < 1 or > 1_000_000)
            return "Anchoring:LeavesMax must be 1 to 1000000.";
        if (!IsPriorityFeeKnown)
            return "Anchoring:PriorityFee must be none, auto, or 0 to 1000000000 micro-lamports a compute unit.";
        if (PriorityFeeMax is < 0 or > PriceMax)
            return "Anchoring:PriorityFeeMax must be 0 to 1000000000.";
        if (ComputeUnitLimit is not 0 and (< 1_000 or > UnitsMax))
            return "Anchoring:ComputeUnitLimit must be 0 or 1000 to 1400000.";
        if (LowBalanceLamports is < 0 or > LamportsMax)
            return "Anchoring:LowBalanceLamports must be 0 to 1000000000000000.";
        return PollMs is < 10 or > 60_000 ? "Anchoring:PollMs must be 10 to 60000." : null;
    }
}
