using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Integration.Tests.Ledger.Conformance;

/// <summary>
/// What the network's own processes ask at random: rewards, escrows that open with their first posting, payments whose payee may
/// be frozen, a second asset, and amounts at the border of 64 bits.
/// </summary>
internal sealed class NetworkRequests(Random random, IReadOnlyList<Actor> people)
{
    /// <summary>The second asset.</summary>
    public const string Gem = "GEM";

    public static readonly Actor Network = Actor.System("test");

    /// <summary>Accounts of the second asset that are there from the start; its fees are not.</summary>
    public static IEnumerable<string> OpenInGem(IEnumerable<Actor> people) =>
        [ChartOfAccounts.Emission, ChartOfAccounts.Solana, .. people.Select(person => ChartOfAccounts.Available(person.Id))];

    public PostTransaction Payment(Dictionary<string, string>? metadata) => new(
        "test", [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => AnyPosting())],
        random.Next(2) == 0 ? new TransactionReference("purchase", $"{random.Next(5)}") : null, metadata);

    public HoldFunds Hold(DateTimeOffset now, Dictionary<string, string>? metadata) => new(
        "test", Account(), Units(20),
        now + (random.Next(2) == 0 ? TimeSpan.FromMilliseconds(random.Next(30, 800)) : TimeSpan.FromDays(1)),
        random.Next(2) == 0 ? new TransactionReference("purchase", $"{random.Next(5)}") : null, metadata, Asset());

    public CaptureHold Capture(long hold) => new(
        hold, [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => new HoldPayment(random.Next(3) == 0 ? Escrow() : Account(), Units(10)))],
        random.Next(4) == 0);

    public OpenAccount Opening() => random.Next(3) switch
    {
        0 => new OpenAccount(ChartOfAccounts.Fees, Gem),
        1 => new OpenAccount(ChartOfAccounts.Clearing($"s{random.Next(30)}"), Asset()),
        _ => new OpenAccount(Account(), Asset()),
    };

    private Posting AnyPosting() => random.Next(20) switch
    {
        < 6 => new(ChartOfAccounts.Emission, Account(), Units(30), Asset()),
        < 10 => new(Account(), Escrow(), Units(30), Asset()),
        < 13 => new(Escrow(), Account(), Units(20), Asset()),
        < 14 => new(Escrow(), ChartOfAccounts.Fees, Units(5), Asset()),
        // Back to its owner, who may be frozen still.
        < 17 => new(ChartOfAccounts.Suspense(Account()), Account(), Units(5), Asset()),
        // Nothing else moves much between these two, which have no floor: their balances go as far as 64 bits go.
        _ => AtTheBorder(),
    };

    private Posting AtTheBorder()
    {
        var units = new Amount(random.Next(3) switch { 0 => long.MaxValue, 1 => 1L << 62, _ => random.NextInt64(1, long.MaxValue) });
        return random.Next(2) == 0
            ? new(ChartOfAccounts.Emission, ChartOfAccounts.Solana, units, Gem)
            : new(ChartOfAccounts.Solana, ChartOfAccounts.Emission, units, Gem);
    }

    // A few that are paid again and again, and new ones.
    private string Escrow() => ChartOfAccounts.Escrow($"p{(random.Next(5) == 0 ? random.Next(1_000_000) : random.Next(4))}");

    private string Asset() => random.Next(3) == 0 ? Gem : ChartOfAccounts.Lmr;

    private string Account() => ChartOfAccounts.Available(people[random.Next(people.Count)].Id);

    private Amount Units(int max) => new(random.Next(1, max + 1));
}
