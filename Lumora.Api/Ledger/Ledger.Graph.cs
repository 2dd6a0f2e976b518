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
/// <param name="JournalVersion">The place in the journal of the last event that changed it.</param>
public sealed record AccountView(
    string Code,
    string Asset,
    long Balance,
    string BalanceFormatted,
    Amount Held,
    string HeldFormatted,
    long? Floor,
    AccountStatus Status,
    long JournalVersion)
{
    internal static AccountView Of(LedgerAccount account)
    {
        var (code, asset) = account.Key;
        return new(
            code, asset, account.Balance, SignedUnits.Format(account.Balance, asset), new Amount(account.Held),
            SignedUnits.Format(account.Held, asset), account.Floor, account.Status, account.Version);
    }
}

/// <summary>What an account held at a place of the journal. What of it was promised then is not kept.</summary>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">What it counts.</param>
/// <param name="Balance">Credits − debits up to there, in base units.</param>
/// <param name="BalanceFormatted">The balance for people.</param>
/// <param name="JournalVersion">The place in the journal: every event up to it counts.</param>
/// <param name="At">The ledger's time of the event there.</param>
/// <param name="LastEntry">The place of the last event up to there that moved something on the account; null: none did.</param>
public sealed record AccountBalanceView(
    string Code,
    string Asset,
    long Balance,
    string BalanceFormatted,
    long JournalVersion,
    DateTimeOffset At,
    long? LastEntry)
{
    internal static AccountBalanceView Of(AccountBalance balance) => new(
        balance.Key.Code, balance.Key.Asset, balance.Balance, SignedUnits.Format(balance.Balance, balance.Key.Asset),
        balance.JournalVersion, balance.At, balance.LastEntry);
}

public sealed partial class Query
{
    /// <summary>
    /// An account of the ledger as it is now: your own (<c>participant/{your id}/available</c>) or an aggregate (<c>network/*</c>,
    /// <c>chain/*</c>); auditors and stewards see all. Null when there is none or it is not yours to see.
    /// </summary>
    /// <param name="code">The account's code.</param>
    /// <param name="asset">What it counts; LMR when not given.</param>
    [AllowSignedIn]
    public static async Task<AccountView?> Account(
        IResolveFieldContext context, [FromServices] LedgerQueries ledger, string code, string? asset, CancellationToken ct)
    {
        var known = LedgerArguments.Asset(asset);
        return ChartOfAccounts.RuleOf(code) is not null
            && ChartOfAccounts.MayReadBalance(context.Actor(), code)
            && await ledger.AccountAsync(ShardRole.Global, code, known, ct) is { } account
                ? AccountView.Of(account)
                : null;
    }

    /// <summary>
    /// What an account held at a past time or place of the journal; give one of the two. For whom the account itself is. Null
    /// when it was not open then, or is not yours to see.
    /// </summary>
    /// <param name="code">The account's code.</param>
    /// <param name="asset">What it counts; LMR when not given.</param>
    /// <param name="at">A time: what happened at it counts.</param>
    /// <param name="journalVersion">A place in the journal, from 1; beyond its end is its end.</param>
    [AllowSignedIn]
    public static async Task<AccountBalanceView?> BalanceAt(
        IResolveFieldContext context,
        [FromServices] LedgerQueries ledger,
        string code,
        string? asset,
        DateTimeOffset? at,
        long? journalVersion,
        CancellationToken ct)
    {
        var known = LedgerArguments.Asset(asset);
        if (at is null == journalVersion is null)
            throw LedgerArguments.Refuse(ErrorCodes.InvalidArgument, "Give a time (at) or a place (journalVersion), one of them.");
        if (ChartOfAccounts.RuleOf(code) is null || !ChartOfAccounts.MayReadBalance(context.Actor(), code))
            return null;
        var balance = at is { } time
            ? await ledger.BalanceAsync(ShardRole.Global, code, known, time, ct)
            : await ledger.BalanceAsync(ShardRole.Global, code, known, journalVersion!.Value, ct);
        return balance is null ? null : AccountBalanceView.Of(balance);
    }

    /// <summary>
    /// The accounts below a prefix of codes, in the order of their codes; for whom their sum is (<c>balanceOf</c>). Null when
    /// it is not yours to see.
    /// </summary>
    /// <param name="prefix">Whole segments of a code, for example <c>network</c>.</param>
    /// <param name="asset">What they count; LMR when not given.</param>
    [AllowSignedIn]
    public static async Task<Connection<AccountView>?> Accounts(
        IResolveFieldContext context,
        [FromServices] LedgerQueries ledger,
        string prefix,
        string? asset,
        PageRequest page,
        CancellationToken ct)
    {
        var (below, known) = (LedgerArguments.Prefix(prefix), LedgerArguments.Asset(asset));
        if (!ChartOfAccounts.MayReadSum(context.Actor(), below))
            return null;
        foreach (var cursor in (string?[])[page.After, page.Before])
        {
            if (cursor is not null && ChartOfAccounts.RuleOf(cursor) is null)
                throw LedgerArguments.Refuse(ErrorCodes.InvalidCursor, "The cursor is not one of this list.");
        }

        var range = new CodeRange(page.Take, page.After ?? "", page.Before, page.Backward);
        var rows = await ledger.AccountsAsync(ShardRole.Global, below, known, range, ct);
        return page.Page([.. rows.Select(AccountView.Of)], account => account.Code);
    }
}
