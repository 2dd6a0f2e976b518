using System.ComponentModel;
using System.Globalization;
using GraphQL;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Api.GraphQL;

/// <summary>An account of the ledger. Invariant: balance − held ≥ floor.</summary>
/// <param name="Code">Where it stands in the chart of accounts, for example <c>network/rewards</c>.</param>
/// <param name="Asset">What it counts.</param>
/// <param name="Balance">Credits − debits, in base units; negative only where the floor allows it.</param>
/// <param name="BalanceFormatted">The balance for people.</param>
/// <param name="Held">Part of the balance that is promised, in base units.</param>
/// <param name="HeldFormatted">What is promised, for people.</param>
/// <param name="Floor">The least that balance − held may be, in base units; null: unbounded.</param>
/// <param name="Status">Whether the account takes part.</param>
public sealed record AccountView(
    string Code,
    string Asset,
    long Balance,
    string BalanceFormatted,
    Amount Held,
    string HeldFormatted,
    long? Floor,
    AccountStatus Status)
{
    internal static AccountView Of(LedgerAccount account)
    {
        var (code, asset) = account.Key;
        return new(
            code, asset, account.Balance, SignedUnits.Format(account.Balance, asset), new Amount(account.Held),
            SignedUnits.Format(account.Held, asset), account.Floor, account.Status);
    }
}

/// <summary>A transaction from the side of one account.</summary>
/// <param name="TransactionId">The transaction's id among its actor's.</param>
/// <param name="JournalVersion">Its place in the journal.</param>
/// <param name="Kind">What the money moved for, in snake_case.</param>
/// <param name="Amount">What it changed on this account, in base units; negative: paid.</param>
/// <param name="AmountFormatted">The change for people.</param>
/// <param name="Balance">The account's balance after it, in base units.</param>
/// <param name="BalanceFormatted">The balance after it, for people.</param>
/// <param name="Reference">The business object behind it, where there is one.</param>
/// <param name="At">The ledger's time of it.</param>
public sealed record AccountEntry(
    string TransactionId,
    long JournalVersion,
    string Kind,
    long Amount,
    string AmountFormatted,
    long Balance,
    string BalanceFormatted,
    TransactionReference? Reference,
    DateTimeOffset At)
{
    internal static AccountEntry Of(AccountTransaction row, string asset) => new(
        row.Transaction.Posted.Id, row.Transaction.JournalVersion, row.Transaction.Posted.Kind,
        row.Amount, SignedUnits.Format(row.Amount, asset), row.Balance, SignedUnits.Format(row.Balance, asset),
        row.Transaction.Posted.Reference, row.Transaction.At);
}

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
        line.Kind, line.Asset, line.Accounts, line.Balance.ToString(CultureInfo.InvariantCulture),
        SignedUnits.Format(line.Balance, line.Asset));
}

public sealed partial class Query
{
    /// <summary>
    /// An account of the ledger: your own (<c>participant/{your id}/available</c>) or an aggregate (<c>network/*</c>,
    /// <c>chain/*</c>); auditors and stewards see all. Null when there is none or it is not yours to see.
    /// </summary>
    [AllowSignedIn]
    public static async Task<AccountView?> Account(
        IResolveFieldContext context,
        [FromServices] LedgerQueries ledger,
        [Description("The account's code.")] string code,
        CancellationToken ct) =>
        ChartOfAccounts.RuleOf(code) is not null
        && ChartOfAccounts.MayReadBalance(context.Actor(), code)
        && await ledger.AccountAsync(ShardRole.Global, code, ChartOfAccounts.Lmr, ct) is { } account
            ? AccountView.Of(account)
            : null;

    /// <summary>
    /// What moved on an account of yours, newest first; auditors and stewards see all accounts. Null when there is no
    /// such account or it is not yours to see.
    /// </summary>
    [AllowSignedIn]
    public static async Task<Connection<AccountEntry>?> Transactions(
        IResolveFieldContext context,
        [FromServices] LedgerQueries ledger,
        [Description("The account's code.")] string code,
        PageRequest page,
        CancellationToken ct)
    {
        const string Asset = ChartOfAccounts.Lmr;
        // The list starts with the newest: "after" a row are the lower versions.
        var range = new JournalRange(
            page.Take, Version(page.Before, "before") ?? 0, Version(page.After, "after") ?? long.MaxValue, page.Backward);
        if (ChartOfAccounts.RuleOf(code) is null
            || !ChartOfAccounts.MayReadEntries(context.Actor(), code)
            || await ledger.AccountAsync(ShardRole.Global, code, Asset, ct) is null)
            return null;
        var rows = await ledger.TransactionsAsync(ShardRole.Global, code, Asset, range, ct);
        return page.Page(
            [.. rows.Select(row => AccountEntry.Of(row, Asset))],
            entry => entry.JournalVersion.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The sums of all balances by kind of account.</summary>
    [Allow(Roles.Auditor | Roles.Steward)]
    public static async Task<IReadOnlyList<TrialBalanceLineView>> TrialBalance(
        [FromServices] LedgerQueries ledger, CancellationToken ct) =>
        [.. (await ledger.TrialBalanceAsync(ShardRole.Global, ct)).Select(TrialBalanceLineView.Of)];

    private static long? Version(string? key, string argument)
    {
        if (key is null)
            return null;
        return long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw new ExecutionError($"The cursor in {argument} is not one of this list.") { Code = ErrorCodes.InvalidCursor };
    }
}

/// <summary>Amounts that may be negative, for people; <see cref="Amount"/> never is.</summary>
internal static class SignedUnits
{
    /// <summary>For example "-1.5 LMR".</summary>
    public static string Format(Int128 units, string asset)
    {
        var (whole, fraction) = Int128.DivRem(Int128.Abs(units), Amount.UnitsPerLmr);
        var decimals = ((long)fraction).ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0');
        var text = whole.ToString(CultureInfo.InvariantCulture) + (decimals.Length == 0 ? "" : "." + decimals);
        return $"{(Int128.IsNegative(units) ? "-" : "")}{text} {asset}";
    }
}
