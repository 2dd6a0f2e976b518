using GraphQL;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Api.GraphQL;

/// <summary>The sum of the balances of one kind of account; over all lines of an asset the sums are 0.</summary>
/// <param name="Kind">The code's first segment, or the whole code of a network account.</param>
/// <param name="Asset">The asset.</param>
/// <param name="Accounts">How many accounts.</param>
/// <param name="Balance">The sum in base units, in decimal with a minus sign where it is negative; may exceed 64 bits.</param>
/// <param name="BalanceFormatted">The sum for people.</param>
public sealed record TrialBalanceLineView(
    string Kind, string Asset, long Accounts, string Balance, string BalanceFormatted)
{
    internal static TrialBalanceLineView Of(TrialBalanceLine line) => new(
        line.Kind, line.Asset, line.Accounts, SignedUnits.Text(line.Balance), SignedUnits.Format(line.Balance, line.Asset));
}

/// <summary>The sums over all accounts below a prefix of codes.</summary>
/// <param name="Prefix">Whole segments of a code.</param>
/// <param name="Asset">The asset.</param>
/// <param name="Accounts">How many accounts were ever opened there.</param>
/// <param name="Balance">The sum of the balances in base units, in decimal with a minus sign where it is negative.</param>
/// <param name="BalanceFormatted">The sum of the balances for people.</param>
/// <param name="Held">The sum of what is promised, in base units.</param>
/// <param name="HeldFormatted">What is promised, for people.</param>
public sealed record BalanceSum(
    string Prefix,
    string Asset,
    long Accounts,
    string Balance,
    string BalanceFormatted,
    string Held,
    string HeldFormatted)
{
    internal static BalanceSum Of(LedgerRollUp sum) => new(
        sum.Prefix, sum.Asset, sum.Accounts, SignedUnits.Text(sum.Balance), SignedUnits.Format(sum.Balance, sum.Asset),
        SignedUnits.Text(sum.Held), SignedUnits.Format(sum.Held, sum.Asset));
}

public sealed partial class Query
{
    /// <summary>The sums of all balances by kind of account.</summary>
    [Allow(Roles.Auditor | Roles.Steward)]
    public static async Task<IReadOnlyList<TrialBalanceLineView>> TrialBalance(
        [FromServices] LedgerRollUpQueries sums, CancellationToken ct) =>
        [.. (await sums.TrialBalanceAsync(ShardRole.Global, ct)).Select(TrialBalanceLineView.Of)];

    /// <summary>
    /// The sums over the accounts below a prefix of codes: <c>network</c>, <c>chain</c> and your own (<c>participant/{your id}</c>);
    /// auditors and stewards see all. Null when it is not yours to see.
    /// </summary>
    /// <param name="prefix">Whole segments of a code, for example <c>participant</c>.</param>
    /// <param name="asset">What they count; LMR when not given.</param>
    [AllowSignedIn]
    public static async Task<BalanceSum?> BalanceOf(
        IResolveFieldContext context,
        [FromServices] LedgerRollUpQueries sums,
        string prefix,
        string? asset,
        CancellationToken ct)
    {
        var (below, known) = (LedgerArguments.Prefix(prefix), LedgerArguments.Asset(asset));
        return ChartOfAccounts.MayReadSum(context.Actor(), below)
            ? BalanceSum.Of(await sums.SumAsync(ShardRole.Global, below, known, ct))
            : null;
    }
}
