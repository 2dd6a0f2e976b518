using GraphQL;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Api.GraphQL;

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
        row.Transaction.Id, row.Transaction.JournalVersion, row.Transaction.Kind,
        row.Amount, SignedUnits.Format(row.Amount, asset), row.Balance, SignedUnits.Format(row.Balance, asset),
        row.Transaction.Reference, row.Transaction.At);
}

/// <summary>An account on the other side of a statement's line.</summary>
/// <param name="Code">Its code.</param>
/// <param name="Amount">What the line's account got from it, in base units, in decimal; negative: paid to it.</param>
/// <param name="AmountFormatted">The amount for people.</param>
public sealed record Counterparty(string Code, string Amount, string AmountFormatted);

/// <summary>A line of a statement: all that one transaction did on the account.</summary>
/// <param name="TransactionId">The transaction's id among its actor's.</param>
/// <param name="JournalVersion">Its place in the journal.</param>
/// <param name="Event">What kind of event it is.</param>
/// <param name="Kind">What the money moved for, in snake_case.</param>
/// <param name="Amount">What it changed on this account, in base units; negative: paid.</param>
/// <param name="AmountFormatted">The change for people.</param>
/// <param name="Balance">The account's balance after it, in base units.</param>
/// <param name="BalanceFormatted">The balance after it, for people.</param>
/// <param name="Reference">The business object behind it, where there is one.</param>
/// <param name="Counterparties">The accounts on the other side, in the order of the postings.</param>
/// <param name="Actor">Who asked for it; null when that is somebody else and you are no auditor or steward.</param>
/// <param name="At">The ledger's time of it.</param>
public sealed record StatementLine(
    string TransactionId,
    long JournalVersion,
    TransactionEvent Event,
    string Kind,
    long Amount,
    string AmountFormatted,
    long Balance,
    string BalanceFormatted,
    TransactionReference? Reference,
    IReadOnlyList<Counterparty> Counterparties,
    string? Actor,
    DateTimeOffset At)
{
    internal static StatementLine Of(AccountTransaction row, AccountKey account, Domain.Kernel.Actor reader)
    {
        var (transaction, asset) = (row.Transaction, account.Asset);
        return new(
            transaction.Id, transaction.JournalVersion, TransactionEvents.Of(transaction), transaction.Kind,
            row.Amount, SignedUnits.Format(row.Amount, asset), row.Balance, SignedUnits.Format(row.Balance, asset),
            transaction.Reference,
            [.. row.CounterpartiesOf(account).Select(other =>
                new Counterparty(other.Code, SignedUnits.Text(other.Amount), SignedUnits.Format(other.Amount, asset)))],
            LedgerReaders.MayReadActor(reader, transaction.Actor) ? transaction.Actor : null, transaction.At);
    }
}

/// <summary>
/// An account over a period: the closing balance is the opening balance and all lines. The period is fixed when it is asked
/// for; the closing balance of one period is the opening balance of the one that starts where it ends.
/// </summary>
/// <param name="Code">The account's code.</param>
/// <param name="Asset">What it counts.</param>
/// <param name="From">The first time that belongs to the period; null: from the start of the journal.</param>
/// <param name="To">The first time that is after the period; null: until now.</param>
/// <param name="OpeningBalance">The balance before the period, in base units.</param>
/// <param name="OpeningBalanceFormatted">The balance before the period, for people.</param>
/// <param name="ClosingBalance">The balance at the end of the period, in base units.</param>
/// <param name="ClosingBalanceFormatted">The balance at the end of the period, for people.</param>
/// <param name="JournalVersion">The place in the journal at which the period ends: every event up to it counts.</param>
public sealed record StatementView(
    string Code,
    string Asset,
    DateTimeOffset? From,
    DateTimeOffset? To,
    long OpeningBalance,
    string OpeningBalanceFormatted,
    long ClosingBalance,
    string ClosingBalanceFormatted,
    long JournalVersion)
{
    internal AccountStatement Source { get; private init; } = null!;

    /// <summary>What moved on the account in the period, newest first; <c>last</c> takes the oldest.</summary>
    public async Task<Connection<StatementLine>> Lines(
        IResolveFieldContext context, [FromServices] LedgerStatements statements, PageRequest page, CancellationToken ct)
    {
        var reader = context.Actor();
        var rows = await statements.LinesAsync(ShardRole.Global, Source, LedgerArguments.NewestFirst(page), ct);
        return page.Page(
            [.. rows.Select(row => StatementLine.Of(row, Source.Key, reader))],
            line => LedgerArguments.Key(line.JournalVersion));
    }

    internal static StatementView Of(AccountStatement statement, DateTimeOffset? from, DateTimeOffset? to)
    {
        var (code, asset) = statement.Key;
        return new(
            code, asset, from, to, statement.Opening, SignedUnits.Format(statement.Opening, asset), statement.Closing,
            SignedUnits.Format(statement.Closing, asset), statement.UpTo)
        { Source = statement };
    }
}

public sealed partial class Query
{
    /// <summary>
    /// What moved on an account of yours, newest first; auditors and stewards see all accounts. Null when there is no
    /// such account or it is not yours to see.
    /// </summary>
    /// <param name="code">The account's code.</param>
    /// <param name="asset">What it counts; LMR when not given.</param>
    [AllowSignedIn]
    public static async Task<Connection<AccountEntry>?> Transactions(
        IResolveFieldContext context,
        [FromServices] LedgerQueries ledger,
        [FromServices] LedgerStatements statements,
        string code,
        string? asset,
        PageRequest page,
        CancellationToken ct)
    {
        var (known, range) = (LedgerArguments.Asset(asset), LedgerArguments.NewestFirst(page));
        if (!await LedgerReaders.SeesEntriesAsync(ledger, context.Actor(), code, known, ct))
            return null;
        var rows = await statements.TransactionsAsync(ShardRole.Global, code, known, range, ct);
        return page.Page(
            [.. rows.Select(row => AccountEntry.Of(row, known))], entry => LedgerArguments.Key(entry.JournalVersion));
    }

    /// <summary>
    /// The statement of an account of yours over a period; auditors and stewards see all accounts. Null when there is no
    /// such account or it is not yours to see. As a file: <c>GET /v1/ledger/accounts/{code}/statement.csv</c>.
    /// </summary>
    /// <param name="code">The account's code.</param>
    /// <param name="asset">What it counts; LMR when not given.</param>
    /// <param name="from">The first time that belongs to the period; from the start of the journal when not given.</param>
    /// <param name="to">The first time that is after the period; until now when not given.</param>
    [AllowSignedIn]
    public static async Task<StatementView?> Statement(
        IResolveFieldContext context,
        [FromServices] LedgerStatements statements,
        string code,
        string? asset,
        DateTimeOffset? from,
        DateTimeOffset? to,
        CancellationToken ct)
    {
        var known = LedgerArguments.Asset(asset);
        LedgerArguments.CheckPeriod(from, to);
        return ChartOfAccounts.RuleOf(code) is not null
            && ChartOfAccounts.MayReadEntries(context.Actor(), code)
            && await statements.FindAsync(ShardRole.Global, code, known, from, to, ct) is { } statement
                ? StatementView.Of(statement, from, to)
                : null;
    }
}
