using Lumora.Domain.Ledger;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>An event of the journal that moves or promises money.</summary>
/// <param name="JournalVersion">Its place.</param>
/// <param name="At">The ledger's time.</param>
/// <param name="Actor">Who asked for it.</param>
/// <param name="Event">
/// <see cref="TransactionPosted"/>, <see cref="HoldCaptured"/>, <see cref="TransactionReversed"/> or <see cref="FundsHeld"/>.
/// </param>
public sealed record JournalTransaction(long JournalVersion, DateTimeOffset At, string Actor, ILedgerEvent Event)
{
    /// <summary>Columns of <c>mt_events</c> that <c>Read</c> takes, in their order.</summary>
    internal const string Columns = "version, timestamp, user_name, type, data";

    private readonly TransactionLabel _label = TransactionLabel.Of(Event)
        ?? throw new ArgumentException($"{Event.GetType().Name} moves no money", nameof(Event));

    /// <summary>The actor's idempotency key: the transaction's id among its actor's.</summary>
    public string Id => Event.Id;

    /// <summary>What the money moved for, snake_case.</summary>
    public string Kind => _label.Kind;

    /// <summary>The business object behind it.</summary>
    public TransactionReference? Reference => _label.Reference;

    /// <summary>What moved, to where it really went (suspense included); empty for money that is only held.</summary>
    public IReadOnlyList<Posting> Postings => Event switch
    {
        TransactionPosted e => LedgerMovement.Resolve(e.Postings, e.ToSuspense),
        HoldCaptured e => LedgerMovement.PostingsOf(e),
        TransactionReversed e => LedgerMovement.Resolve(e.Postings, e.ToSuspense),
        _ => [],
    };

    /// <summary>True when money of an account that <paramref name="isTheirs"/> accepts moved or is held by this.</summary>
    public bool Touches(Func<string, bool> isTheirs) =>
        Event is FundsHeld held ? isTheirs(held.Code) : Postings.Any(p => isTheirs(p.From) || isTheirs(p.To));

    internal static JournalTransaction Read(NpgsqlDataReader row) => Read(row, first: 0);

    internal static JournalTransaction Read(NpgsqlDataReader row, int first) => new(
        row.GetInt64(first), row.GetFieldValue<DateTimeOffset>(first + 1), row.GetString(first + 2),
        (ILedgerEvent)JournalJson.Read(row.GetString(first + 3), row.GetString(first + 4))!);
}

/// <summary>A transaction from the side of one account.</summary>
/// <param name="Transaction">The whole of it.</param>
/// <param name="Amount">What it changed on this account, in base units; negative = paid.</param>
/// <param name="Balance">The account's balance after it.</param>
public sealed record AccountTransaction(JournalTransaction Transaction, long Amount, long Balance)
{
    /// <summary>
    /// The other accounts of the postings that moved something on <paramref name="account"/>, in the order in which they
    /// come, each with what it gave; negative = received.
    /// </summary>
    public IReadOnlyList<(string Code, Int128 Amount)> CounterpartiesOf(AccountKey account)
    {
        var amounts = new OrderedDictionary<string, Int128>(StringComparer.Ordinal);
        foreach (var (from, to, amount, asset) in Transaction.Postings)
        {
            if (asset != account.Asset || (from != account.Code && to != account.Code))
                continue;
            var (other, gave) = from == account.Code ? (to, -(Int128)amount.Units) : (from, amount.Units);
            amounts[other] = amounts.GetValueOrDefault(other) + gave;
        }

        return [.. amounts.Select(pair => (pair.Key, pair.Value))];
    }
}

/// <summary>A part of the journal; the versions are a page's cursors.</summary>
/// <param name="Count">At most so many transactions, 1 to <see cref="LedgerQueries.PageMax"/>.</param>
/// <param name="Above">Only later journal versions than this; 0 = from the first.</param>
/// <param name="Below">Only earlier journal versions than this; the largest = to the last.</param>
/// <param name="OldestFirst">From the oldest of the range upwards, instead of from the newest downwards.</param>
public sealed record JournalRange(int Count, long Above = 0, long Below = long.MaxValue, bool OldestFirst = false)
{
    /// <summary>The part of this between <paramref name="above"/> and <paramref name="upTo"/> (included).</summary>
    internal JournalRange Within(long above, long upTo) =>
        this with { Above = Math.Max(Above, above), Below = Math.Min(Below, upTo + 1) };

    internal long Limit => Math.Clamp(Count, 1, LedgerQueries.PageMax);
}
