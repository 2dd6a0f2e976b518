using System.Globalization;
using Lumora.Cli.Reports;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Purchases;

namespace Lumora.Cli.Audit;

/// <summary>
/// Holds every purchase against the journal: the price went into its escrow, nothing was handed over before that, and the escrow
/// was paid out by the split that was agreed, or back, once.
/// </summary>
/// <remarks>
/// A purchase's event is committed together with its transaction and stands in front of it in the log. Times of the journal rise
/// and both have the same: once the journal is past that time, a payment that is missing will never come.
/// </remarks>
internal sealed class PurchaseCheck : IAuditPart
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "entitlements_paid";

    private const string EscrowPrefix = "escrow/";

    private readonly Dictionary<string, PurchaseFacts> _purchases = new(StringComparer.Ordinal);
    private readonly HashSet<string> _pending = new(StringComparer.Ordinal);

    /// <summary>Purchases so far.</summary>
    public int Purchases => _purchases.Values.Count(facts => facts.BuyerId is not null);

    /// <summary>Hand-overs so far: headers, grants and files sent.</summary>
    public long Deliveries { get; private set; }

    /// <summary>Purchases or settlements whose transaction stands behind the last entry.</summary>
    public int Pending => _pending.Count;

    /// <inheritdoc/>
    public IEnumerable<Finding> Take(LoggedEvent entry)
    {
        if (entry.Leaf.Stream.StartsWith(LedgerCheck.JournalPrefix, StringComparison.Ordinal))
            return TakeJournal(entry);
        if (!entry.Leaf.Stream.StartsWith("purchase/", StringComparison.Ordinal))
            return [];
        var id = entry.Leaf.Stream["purchase/".Length..];
        return entry.Event switch
        {
            DatasetPurchased e when e.PurchaseId == id => Found(entry, Buy(entry, id, e)),
            DeliveryHeaderWritten or DeliveryGranted or DeliveryServed => Found(entry, HandOver(id)),
            PurchaseReleased e => Found(entry, Settle(entry, id, Release(id, e))),
            PurchaseRefunded e => Found(entry, Settle(entry, id, new Settlement(
                e.TransactionId, IsRefund: true, [new EscrowPart(BuyerAccount(id), e.Amount.Units)], entry.Leaf.At, entry.Where))),
            DeliveryConfirmed or DeliveryDisputed => [],
            DatasetPurchased => Found(entry, "it is the event of another purchase than its stream"),
            _ => Found(entry, entry.Fault ?? $"{entry.Leaf.Type} is no event of a purchase"),
        };
    }

    /// <inheritdoc/>
    public void Save(BinaryWriter output)
    {
        output.Write(Deliveries);
        output.WriteList(_purchases.Values, output.WriteJson);
        output.WriteList(_pending, output.Write);
    }

    /// <inheritdoc/>
    public void Load(BinaryReader input)
    {
        Deliveries = input.ReadInt64();
        foreach (var facts in input.ReadList(input.ReadJson<PurchaseFacts>))
            _purchases[facts.PurchaseId] = facts;
        _pending.UnionWith(input.ReadList(input.ReadString));
    }

    private static IEnumerable<Finding> Found(LoggedEvent entry, string? fault) =>
        fault is null ? [] : [new Finding(Claim, entry.Where, fault)];

    private string? Buy(LoggedEvent entry, string id, DatasetPurchased e)
    {
        var facts = Of(id);
        if (facts.BuyerId is not null)
            return "the dataset was bought under this purchase already";
        _purchases[id] = facts = facts with
        {
            BuyerId = e.BuyerId,
            PublisherId = e.PublisherId,
            Price = e.Price.Units,
            Split = e.Split,
            BoughtAt = entry.Leaf.At,
            Where = entry.Where,
        };
        if (!e.Split.IsWhole)
            return "its split is not the whole price";
        if (facts.Paid is { } paid)
            return PaymentFault(facts, paid);
        _pending.Add(id);
        return null;
    }

    private string? HandOver(string id)
    {
        Deliveries++;
        return Of(id) switch
        {
            { BuyerId: null } => "it hands over what nobody bought",
            { Paid: null } => "it hands over what is not paid: the price is not in the journal yet",
            { Settled.IsRefund: true } => "it hands over what was paid back",
            _ => null,
        };
    }

    private Settlement Release(string id, PurchaseReleased e) => new(
        e.TransactionId, IsRefund: false,
        [
            .. new EscrowPart[]
            {
                new(ChartOfAccounts.Available(Of(id).PublisherId ?? ""), e.Shares.Publisher.Units),
                new(ChartOfAccounts.Rewards, e.Shares.Rewards.Units),
                new(ChartOfAccounts.Fees, e.Shares.Fees.Units),
                new(ChartOfAccounts.Burned, e.Shares.Burned.Units),
            }.Where(part => part.Units > 0),
        ],
        default, "");

    private string? Settle(LoggedEvent entry, string id, Settlement settlement)
    {
        var facts = Of(id);
        if (facts is not { BuyerId: not null, Split: { } split })
            return "it settles what nobody bought";
        if (facts.Settled is not null)
            return "the purchase is settled a second time";
        settlement = settlement with { At = entry.Leaf.At, Where = entry.Where };
        _purchases[id] = facts = facts with { Settled = settlement };
        if (facts.Paid is null)
            return "it settles what is not paid";
        if (settlement.IsRefund && settlement.Parts.Sum(part => part.Units) != facts.Price)
            return string.Create(CultureInfo.InvariantCulture, $"it pays {settlement.Parts.Sum(part => part.Units)} back, the price was {facts.Price}");
        if (!settlement.IsRefund && entry.Event is PurchaseReleased released && released.Shares != split.Divide(new Amount(facts.Price)))
            return string.Create(CultureInfo.InvariantCulture, $"its shares are not the agreed split of {facts.Price}");
        if (facts.SettledBy is { } by)
            return SettlementFault(settlement, by);
        _pending.Add(id);
        return null;
    }

    private IEnumerable<Finding> TakeJournal(LoggedEvent entry)
    {
        if (entry.Event is TransactionPosted { Postings: not null } posted)
        {
            foreach (var id in posted.Postings.SelectMany(posting => new[] { EscrowOf(posting?.To), EscrowOf(posting?.From) }).OfType<string>().Distinct(StringComparer.Ordinal))
                if (Move(id, posted) is { } fault)
                    yield return new Finding(Claim, entry.Where, fault);
        }

        if (_pending.Count == 0)
            yield break;
        foreach (var id in _pending.ToList())
        {
            var facts = _purchases[id];
            if (facts.Paid is null && facts.BoughtAt < entry.Leaf.At)
                yield return new Finding(Claim, facts.Where, $"the journal goes on at {entry.Where} without the payment of {id}");
            else if (facts is { Settled: { } settled, SettledBy: null } && settled.At < entry.Leaf.At)
                yield return new Finding(Claim, settled.Where, $"the journal goes on at {entry.Where} without the transaction {settled.TransactionId}");
            else if (facts.Paid is null || facts is { Settled: not null, SettledBy: null })
                continue;
            _pending.Remove(id);
        }
    }

    /// <summary>A transaction that touches an escrow: into it once, out of it once.</summary>
    private string? Move(string id, TransactionPosted posted)
    {
        var facts = Of(id);
        if (posted.Postings.Any(posting => EscrowOf(posting.To) == id))
        {
            if (facts.Paid is not null || posted.Postings is not [var payment])
                return $"it pays into the escrow of {id} beside its one payment";
            _purchases[id] = facts = facts with { Paid = new EscrowPart(payment.From, payment.Amount.Units) };
            return facts.BuyerId is null ? null : PaymentFault(facts, facts.Paid!);
        }

        if (facts.SettledBy is not null || facts.Paid is null)
            return $"it takes from the escrow of {id}, {(facts.Paid is null ? "which nobody paid into" : "which was settled already")}";
        var by = new Settlement(
            posted.Id, IsRefund: false, [.. posted.Postings.Select(posting => new EscrowPart(posting.To, posting.Amount.Units))], default, "");
        _purchases[id] = facts with { SettledBy = by };
        return facts.Settled is { } settled
            ? SettlementFault(settled, by)
            : $"it takes from the escrow of {id}, which no event has settled";
    }

    private static string? PaymentFault(PurchaseFacts facts, EscrowPart paid)
    {
        if (paid.Units != facts.Price)
            return string.Create(CultureInfo.InvariantCulture, $"{paid.Units} base units were paid for {facts.PurchaseId}, its price is {facts.Price}");
        var buyer = ChartOfAccounts.Available(facts.BuyerId!);
        return paid.Account == buyer ? null : $"{paid.Account} paid for {facts.PurchaseId}, bought was it by {buyer}";
    }

    private static string? SettlementFault(Settlement said, Settlement by)
    {
        if (said.TransactionId != by.TransactionId)
            return $"the event names the transaction {said.TransactionId}, the escrow was settled by {by.TransactionId}";
        return said.Parts.SequenceEqual(by.Parts)
            ? null
            : $"the transaction {by.TransactionId} pays {Text(by.Parts)}, the purchase's event says {Text(said.Parts)}";
    }

    private static string Text(IEnumerable<EscrowPart> parts) =>
        string.Join(", ", parts.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Units} to {part.Account}")));

    private string BuyerAccount(string id) => ChartOfAccounts.Available(Of(id).BuyerId ?? "");

    private PurchaseFacts Of(string id) => _purchases.GetValueOrDefault(id) ?? new PurchaseFacts(id);

    private static string? EscrowOf(string? code) =>
        code is not null && code.StartsWith(EscrowPrefix, StringComparison.Ordinal) ? code[EscrowPrefix.Length..] : null;

    /// <summary>What the log has said about a purchase.</summary>
    private sealed record PurchaseFacts(string PurchaseId)
    {
        public string? BuyerId { get; init; }

        public string? PublisherId { get; init; }

        public long Price { get; init; }

        public PurchaseSplit? Split { get; init; }

        public DateTimeOffset BoughtAt { get; init; }

        public string Where { get; init; } = "";

        public EscrowPart? Paid { get; init; }

        public Settlement? Settled { get; init; }

        public Settlement? SettledBy { get; init; }
    }

    /// <summary>An account and what it got or paid.</summary>
    private sealed record EscrowPart(string Account, long Units);

    /// <summary>How an escrow was emptied: as the purchase's event says, or as the journal says.</summary>
    private sealed record Settlement(
        string TransactionId, bool IsRefund, IReadOnlyList<EscrowPart> Parts, DateTimeOffset At, string Where);
}
