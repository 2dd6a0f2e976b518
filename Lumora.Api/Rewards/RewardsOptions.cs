using System.ComponentModel.DataAnnotations;
using Lumora.Domain.Kernel;

namespace Lumora.Api.Rewards;

/// <summary>Settings under <c>Lumora:Rewards</c>.</summary>
internal sealed class RewardsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Lumora:Rewards";

    /// <summary>Length of an epoch, 1 to 604,800 seconds. Default one day. Must not change once an epoch is closed.</summary>
    [Range(1, 604_800)]
    public int EpochSeconds { get; set; } = 86_400;

    /// <summary>What the network pays for an epoch, in LMR, 0 to 1,000,000,000. Default 10,000.</summary>
    [Range(0, 1_000_000_000)]
    public long EmissionLmr { get; set; } = 10_000;

    /// <summary>
    /// Development switch: an epoch with contributions may be closed before it has begun, when the one before was
    /// closed by hand. Default false.
    /// </summary>
    public bool AllowEarlyClose { get; set; }

    /// <summary>The emission in base units.</summary>
    public Amount Emission => Amount.FromLmr(EmissionLmr);
}
