using System.Collections.Frozen;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>How an account comes to be.</summary>
public enum Opening
{
    /// <summary>By an <see cref="OpenAccount"/> of the network.</summary>
    Explicit,

    /// <summary>By the first posting that pays into it.</summary>
    FirstPosting,

    /// <summary>By the first system posting that its frozen or closed owner cannot take.</summary>
    Suspense,
}

/// <summary>What the chart says about a code.</summary>
/// <param name="Opening">How the account comes to be.</param>
/// <param name="Floor">The least balance it starts with; null = unbounded.</param>
public sealed record AccountRule(Opening Opening, long? Floor);

/// <summary>
/// The one place that says which accounts exist, how each is opened, and which may go below zero. Codes are paths of
/// lower-case segments; ids inside a path keep their own case.
/// </summary>
public static class ChartOfAccounts
{
    /// <summary>The network's token, 9 decimals.</summary>
    public const string Lmr = "LMR";

    /// <summary>Where rewards come from: unbounded, its debit is what was emitted.</summary>
    public const string Emission = "network/emission";

    /// <summary>The pool for nodes that sales feed.</summary>
    public const string Rewards = "network/rewards";

    /// <summary>The operator's share.</summary>
    public const string Fees = "network/fees";

    /// <summary>What is gone for good.</summary>
    public const string Burned = "network/burned";

    /// <summary>What governance may spend.</summary>
    public const string Treasury = "network/treasury";

    /// <summary>What an epoch could not allocate.</summary>
    public const string Unallocated = "network/unallocated";

    /// <summary>The treasury's tokens on Solana, as a debit: unbounded.</summary>
    public const string Solana = "chain/solana";

    private const string SuspensePrefix = "suspense/";
    private static readonly AccountRule Bounded = new(Opening.Explicit, 0);
    private static readonly AccountRule Unbounded = new(Opening.Explicit, null);
    private static readonly AccountRule ByPosting = new(Opening.FirstPosting, 0);
    private static readonly AccountRule ForSuspense = new(Opening.Suspense, 0);

    /// <summary>Accounts that every shard opens for itself at its first start.</summary>
    public static IReadOnlyList<string> Standing { get; } =
        [Emission, Rewards, Fees, Burned, Treasury, Unallocated, Solana];

    /// <summary>First segments of all codes.</summary>
    public static IReadOnlySet<string> Families { get; } = FrozenSet.Create(
        StringComparer.Ordinal, "chain", "clearing", "escrow", "network", "participant", "suspense");

    /// <summary>The account of a participant's own money.</summary>
    public static string Available(string participantId) => $"participant/{participantId}/available";

    /// <summary>Where a purchase's price rests until it is released or refunded.</summary>
    public static string Escrow(string purchaseId) => $"escrow/{purchaseId}";

    /// <summary>This shard's side of what travels to or from <paramref name="shard"/>.</summary>
    public static string Clearing(string shard) => $"clearing/{shard}";

    /// <summary>Where the network's payments to a frozen or closed <paramref name="payee"/> wait.</summary>
    public static string Suspense(string payee) =>
        payee.StartsWith(SuspensePrefix, StringComparison.Ordinal) ? payee : SuspensePrefix + payee;

    /// <summary>The account whose money waits in <paramref name="suspense"/>; null when that is no suspense account's code.</summary>
    public static string? OwnerOfSuspense(string suspense) =>
        RuleOf(suspense) is { Opening: Opening.Suspense } ? suspense[SuspensePrefix.Length..] : null;

    /// <summary>True when <paramref name="code"/> is an account of a participant.</summary>
    public static bool IsParticipants(string code) =>
        code.StartsWith("participant/", StringComparison.Ordinal) && RuleOf(code) is not null;

    /// <summary>The rule of <paramref name="code"/>; null when no account can have it.</summary>
    public static AccountRule? RuleOf(string code)
    {
        if (code.Length is 0 or > LedgerLimits.CodeLengthMax || !IsPath(code))
            return null;
        var slash = code.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            return null;
        var family = code.AsSpan(0, slash);
        var rest = code.AsSpan(slash + 1);
        var deeper = rest.Contains('/');
        return family switch
        {
            "participant" => rest.EndsWith("/available") && rest.Count('/') == 1 ? Bounded : null,
            "network" when deeper => null,
            "network" => rest switch
            {
                "emission" => Unbounded,
                "rewards" or "fees" or "burned" or "treasury" or "unallocated" => Bounded,
                _ => null,
            },
            "escrow" => deeper ? null : ByPosting,
            "chain" or "clearing" => deeper ? null : Unbounded,
            "suspense" => rest.StartsWith("suspense/") || RuleOf(rest.ToString()) is null ? null : ForSuspense,
            _ => null,
        };
    }

    /// <summary>True when <paramref name="actor"/> may freeze, close and change floors: stewards and the network.</summary>
    public static bool MayGovern(Actor actor) => IsSystem(actor) || actor.Has(Roles.Steward);

    /// <summary>True for the network's own processes: only they open accounts, and they never fail on the payee.</summary>
    public static bool IsSystem(Actor actor) => actor.Id.StartsWith("system:", StringComparison.Ordinal);

    /// <summary>
    /// True when <paramref name="actor"/> may see what the account of <paramref name="code"/> holds: its own accounts,
    /// and the aggregates of the network and the chains; stewards, auditors and the network see all.
    /// </summary>
    public static bool MayReadBalance(Actor actor, string code) =>
        MayReadEntries(actor, code)
        || code.StartsWith("network/", StringComparison.Ordinal)
        || code.StartsWith("chain/", StringComparison.Ordinal);

    /// <summary>
    /// True when <paramref name="actor"/> may see what moved on the account of <paramref name="code"/>: on its own, and what
    /// waits for it in suspense. Not so for the aggregates: their entries are other people's purchases, earnings and deposits.
    /// </summary>
    public static bool MayReadEntries(Actor actor, string code) =>
        IsSystem(actor)
        || actor.Has(Roles.Steward | Roles.Auditor)
        || code.StartsWith($"participant/{actor.Id}/", StringComparison.Ordinal)
        || code.StartsWith($"{SuspensePrefix}participant/{actor.Id}/", StringComparison.Ordinal);

    /// <summary>
    /// True when <paramref name="actor"/> may see the sum over the accounts below <paramref name="prefix"/>: when it may see
    /// each of their balances.
    /// </summary>
    public static bool MayReadSum(Actor actor, string prefix) => MayReadBalance(actor, $"{prefix}/");

    /// <summary>True when codes may begin with the whole segments <paramref name="prefix"/>.</summary>
    public static bool IsPrefix(string prefix) =>
        prefix.Length is > 0 and <= LedgerLimits.CodeLengthMax && IsPath(prefix) && Families.Contains(prefix.Split('/')[0]);

    private static bool IsPath(string code)
    {
        var segment = 0;
        foreach (var c in code)
        {
            if (c == '/' && segment == 0)
                return false;
            if (c != '/' && !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.'))
                return false;
            segment = c == '/' ? 0 : segment + 1;
        }

        return segment > 0;
    }
}
