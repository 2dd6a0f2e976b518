using Lumora.Domain.Kernel;

namespace Lumora.Domain.Rewards;

/// <summary>An epoch as its stream tells it; there is none before it is closed.</summary>
/// <param name="Epoch">Number.</param>
/// <param name="Emission">To be paid in all.</param>
/// <param name="Paid">To providers.</param>
/// <param name="Unallocated">To the treasury.</param>
/// <param name="PaymentsDone">True when the ledger holds all of it.</param>
public sealed record EpochState(long Epoch, Amount Emission, Amount Paid, Amount Unallocated, bool PaymentsDone)
{
    /// <summary>Its stream.</summary>
    public string Id { get; init; } = StreamOf(Epoch);

    /// <summary>The stream of <paramref name="epoch"/>.</summary>
    public static string StreamOf(long epoch) => FormattableString.Invariant($"epoch/{epoch}");

    /// <summary>Folds one event into the state; unknown events change nothing.</summary>
    public static EpochState? Evolve(EpochState? state, object @event) => (@event, state) switch
    {
        (EpochInputsSealed e, _) => new EpochState(e.Epoch, e.Emission, Amount.Zero, Amount.Zero, PaymentsDone: false),
        (EpochRewardsComputed e, { } s) => s with { Paid = e.Paid, Unallocated = e.Unallocated },
        (EpochPaid, { } s) => s with { PaymentsDone = true },
        _ => state,
    };
}
