using Lumora.Domain.Purchases;

namespace Lumora.Api.Datasets;

/// <summary>The market's settings, configuration section <c>Market</c>.</summary>
public sealed class MarketOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Market";

    /// <summary>How long after a download the escrow is released without an answer; 1 s to 30 days.</summary>
    public TimeSpan ReleaseAfter { get; set; } = TimeSpan.FromHours(72);

    /// <summary>How often due releases are looked for; 100 ms to 1 h.</summary>
    public TimeSpan SweepEvery { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The address under which the catalog is public, as metadata documents name it; without a slash at its end.</summary>
    public string PublicUrl { get; set; } = "http://127.0.0.1:5080";

    /// <summary>The split of new quotes, basis points: publisher.</summary>
    public int PublisherBps { get; set; } = PurchaseSplit.Default.PublisherBps;

    /// <summary>The split of new quotes, basis points: the nodes' reward pool.</summary>
    public int RewardsBps { get; set; } = PurchaseSplit.Default.RewardsBps;

    /// <summary>The split of new quotes, basis points: the network.</summary>
    public int FeesBps { get; set; } = PurchaseSplit.Default.FeesBps;

    /// <summary>The split of new quotes, basis points: burned.</summary>
    public int BurnBps { get; set; } = PurchaseSplit.Default.BurnBps;

    /// <summary>The split of new quotes.</summary>
    internal PurchaseSplit Split => new(PublisherBps, RewardsBps, FeesBps, BurnBps);
}
