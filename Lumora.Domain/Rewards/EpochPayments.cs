using Lumora.Domain.Kernel;

namespace Lumora.Domain.Rewards;

/// <summary>One movement of an epoch's payment.</summary>
/// <param name="From">Account code.</param>
/// <param name="To">Account code.</param>
/// <param name="Amount">Above 0.</param>
public sealed record EpochPosting(string From, string To, Amount Amount);

/// <summary>One ledger transaction of an epoch's payment.</summary>
/// <param name="Key">Idempotency key: <c>epoch/{e}/{page}</c>, so that a page is never paid twice.</param>
/// <param name="Postings">1 to 64.</param>
public sealed record EpochPaymentPage(string Key, IReadOnlyList<EpochPosting> Postings);

/// <summary>
/// Turns a computed epoch into ledger transactions. The same allocation gives the same pages, so a close that was
/// cut off goes on where it stopped: posted pages answer as replayed.
/// </summary>
public static class EpochPayments
{
    /// <summary>The ledger's limit.</summary>
    public const int PostingsPerPage = 64;

    /// <summary>Where new money comes from.</summary>
    public const string Emission = "network/emission";

    /// <summary>What is on its way to providers.</summary>
    public const string Rewards = "network/rewards";

    /// <summary>Where unclaimed pools go.</summary>
    public const string Treasury = "network/treasury";

    /// <summary>Where a provider is paid.</summary>
    public static string AccountOf(string participantId) => $"participant/{participantId}/available";

    /// <summary>
    /// Page 0 funds the rewards account with all that is paid and gives the rest to the treasury; each further
    /// page pays up to 64 providers.
    /// </summary>
    /// <param name="epoch">Number.</param>
    /// <param name="unallocated">To the treasury.</param>
    /// <param name="shares">Provider and amount, in the allocation's order; zero amounts need no posting.</param>
    public static IReadOnlyList<EpochPaymentPage> Pages(
        long epoch, Amount unallocated, IReadOnlyList<(string Provider, Amount Amount)> shares)
    {
        var paid = new Amount(shares.Sum(share => share.Amount.Units));
        EpochPosting[] funding =
            [new(Emission, Rewards, paid), new(Emission, Treasury, unallocated)];
        return
        [
            .. new[] { funding }
                .Concat(shares.Select(share => new EpochPosting(Rewards, AccountOf(share.Provider), share.Amount))
                    .Where(NotEmpty).Chunk(PostingsPerPage))
                .Select((page, i) => new EpochPaymentPage(Key(epoch, i), [.. page.Where(NotEmpty)]))
                .Where(page => page.Postings.Count > 0),
        ];
    }

    private static string Key(long epoch, int page) => FormattableString.Invariant($"epoch/{epoch}/{page}");

    private static bool NotEmpty(EpochPosting posting) => posting.Amount > Amount.Zero;
}
