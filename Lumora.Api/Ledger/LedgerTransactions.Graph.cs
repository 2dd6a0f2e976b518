using GraphQL;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Api.GraphQL;

/// <summary>What kind of event of the journal moved or promised money.</summary>
public enum TransactionEvent
{
    /// <summary>A transaction took effect.</summary>
    TransactionPosted,

    /// <summary>Held money was paid out.</summary>
    HoldCaptured,

    /// <summary>Money of an earlier transaction went back.</summary>
    TransactionReversed,

    /// <summary>Money was promised; nothing has moved.</summary>
    FundsHeld,
}

/// <summary>Money from one account to another.</summary>
/// <param name="Index">Its place in the transaction, from 0.</param>
/// <param name="From">Code of the account that paid.</param>
/// <param name="To">Code of the account that was paid, the suspense account where its payee could not take it.</param>
/// <param name="Asset">What moved.</param>
/// <param name="Amount">How much, in base units.</param>
/// <param name="AmountFormatted">How much, for people.</param>
public sealed record LedgerPosting(
    int Index, string From, string To, string Asset, Amount Amount, string AmountFormatted);

/// <summary>An event of the journal that moved or promised money.</summary>
/// <param name="TransactionId">Its id among its actor's: the request's idempotency key.</param>
/// <param name="JournalVersion">Its place in the journal.</param>
/// <param name="Event">What kind of event it is.</param>
/// <param name="Kind">What the money moves for, in snake_case.</param>
/// <param name="Postings">
/// What moved, in order; empty for money that is only held. Without the role of an auditor or steward, and when somebody else
/// asked for it, only what moved on accounts of yours.
/// </param>
/// <param name="Reference">The business object behind it, where there is one.</param>
/// <param name="Hold">The number of the hold that it made or paid out; else null.</param>
/// <param name="Reverses">The place in the journal of the transaction that it reverses; else null.</param>
/// <param name="Reason">Why it was reversed; else null.</param>
/// <param name="Actor">Who asked for it; null when that is somebody else and you are no auditor or steward.</param>
/// <param name="At">The ledger's time of it.</param>
public sealed record LedgerTransactionView(
    string TransactionId,
    long JournalVersion,
    TransactionEvent Event,
    string Kind,
    IReadOnlyList<LedgerPosting> Postings,
    TransactionReference? Reference,
    long? Hold,
    long? Reverses,
    string? Reason,
    string? Actor,
    DateTimeOffset At)
{
    /// <summary>What <paramref name="reader"/> sees of it; null when that is nothing.</summary>
    internal static LedgerTransactionView? Of(JournalTransaction transaction, Actor reader)
    {
        var whole = LedgerReaders.MayReadActor(reader, transaction.Actor);
        if (!whole && !transaction.Touches(code => LedgerReaders.Owns(reader, code)))
            return null;
        var postings = transaction.Postings
            .Select((p, i) => new LedgerPosting(
                i, p.From, p.To, p.Asset, p.Amount, SignedUnits.Format(p.Amount.Units, p.Asset)))
            .Where(p => whole || LedgerReaders.Owns(reader, p.From) || LedgerReaders.Owns(reader, p.To));
        var reversal = transaction.Event as TransactionReversed;
        return new(
            transaction.Id, transaction.JournalVersion, TransactionEvents.Of(transaction), transaction.Kind, [.. postings],
            transaction.Reference, TransactionEvents.HoldOf(transaction), reversal?.Transaction, reversal?.Reason,
            whole ? transaction.Actor : null, transaction.At);
    }
}

/// <summary>What transactions to look for. Without a reference it is for auditors and stewards.</summary>
/// <param name="ReferenceType">The type of the business object behind them; together with its id.</param>
/// <param name="ReferenceId">The id of the business object behind them; together with its type.</param>
/// <param name="Kind">What the money moves for, in snake_case.</param>
/// <param name="From">The first time that counts.</param>
/// <param name="To">The first time that no longer counts.</param>
/// <param name="Actor">Who asked for them.</param>
public sealed record LedgerTransactionFilter(
    string? ReferenceType,
    string? ReferenceId,
    string? Kind,
    DateTimeOffset? From,
    DateTimeOffset? To,
    string? Actor);

public sealed partial class Query
{
    /// <summary>
    /// Transactions, captures, reversals and holds that match all of a filter, newest first. Auditors and stewards search all;
    /// others give a reference and see those in which an account of theirs takes part. A page may be short, or empty, and have a next
    /// page all the same: a search looks at so much of the journal at a time.
    /// </summary>
    /// <param name="filter">What to look for.</param>
    [AllowSignedIn]
    public static async Task<Connection<LedgerTransactionView>> LedgerTransactions(
        IResolveFieldContext context,
        [FromServices] LedgerSearch search,
        LedgerTransactionFilter filter,
        PageRequest page,
        CancellationToken ct)
    {
        var (reader, range) = (context.Actor(), LedgerArguments.NewestFirst(page));
        if (filter.ReferenceType is null != filter.ReferenceId is null)
            throw LedgerArguments.Refuse(ErrorCodes.InvalidArgument, "A reference is a type and an id: give both, or none.");
        LedgerArguments.CheckPeriod(filter.From, filter.To);
        var reference = filter.ReferenceType is null ? null : new TransactionReference(filter.ReferenceType, filter.ReferenceId!);
        if (reference is null && !LedgerReaders.SeesAll(reader))
            throw LedgerArguments.Refuse(ErrorCodes.Forbidden, "Without a reference this is for auditors and stewards.");
        var wanted = new TransactionFilter(
            reference, filter.Kind, filter.From, filter.To, filter.Actor,
            LedgerReaders.SeesAll(reader) ? null : LedgerReaders.OwnPrefix(reader));
        var found = await search.FindAsync(ShardRole.Global, wanted, range, ct);
        return page.Page(
            [.. found.Transactions.Select(transaction => LedgerTransactionView.Of(transaction, reader)!)],
            transaction => LedgerArguments.Key(transaction.JournalVersion),
            found.SearchedTo is { } searchedTo ? LedgerArguments.Key(searchedTo) : null);
    }

    /// <summary>
    /// One transaction, capture, reversal or hold: by its place in the journal, or by actor and id. Auditors and stewards see
    /// all; others those that they asked for or in which an account of theirs takes part. Null when there is none to see.
    /// </summary>
    /// <param name="journalVersion">Its place in the journal; alone.</param>
    /// <param name="actor">Who asked for it; together with its id. You when not given.</param>
    /// <param name="transactionId">Its id among its actor's.</param>
    [AllowSignedIn]
    public static async Task<LedgerTransactionView?> LedgerTransaction(
        IResolveFieldContext context,
        [FromServices] LedgerSearch search,
        long? journalVersion,
        string? actor,
        string? transactionId,
        CancellationToken ct)
    {
        var reader = context.Actor();
        if (journalVersion is null == transactionId is null || (journalVersion is not null && actor is not null))
            throw LedgerArguments.Refuse(
                ErrorCodes.InvalidArgument, "Give a place (journalVersion), or an id (transactionId) and its actor.");
        var found = journalVersion is { } version
            ? await search.TransactionAsync(ShardRole.Global, version, ct)
            : await search.TransactionAsync(ShardRole.Global, actor ?? reader.Id, transactionId!, ct);
        return found is null ? null : LedgerTransactionView.Of(found, reader);
    }
}

/// <summary>Which event a transaction is.</summary>
internal static class TransactionEvents
{
    public static TransactionEvent Of(JournalTransaction transaction) => transaction.Event switch
    {
        Domain.Ledger.TransactionPosted => TransactionEvent.TransactionPosted,
        Domain.Ledger.HoldCaptured => TransactionEvent.HoldCaptured,
        Domain.Ledger.TransactionReversed => TransactionEvent.TransactionReversed,
        _ => TransactionEvent.FundsHeld,
    };

    /// <summary>The name of the event's contract, for example <c>hold_captured</c>.</summary>
    public static string NameOf(JournalTransaction transaction) => Of(transaction) switch
    {
        TransactionEvent.TransactionPosted => "transaction_posted",
        TransactionEvent.HoldCaptured => "hold_captured",
        TransactionEvent.TransactionReversed => "transaction_reversed",
        _ => "funds_held",
    };

    /// <summary>The hold that <paramref name="transaction"/> made or paid out; null for other events.</summary>
    public static long? HoldOf(JournalTransaction transaction) => transaction.Event switch
    {
        Domain.Ledger.FundsHeld => transaction.JournalVersion,
        Domain.Ledger.HoldCaptured captured => captured.Hold,
        _ => null,
    };
}
