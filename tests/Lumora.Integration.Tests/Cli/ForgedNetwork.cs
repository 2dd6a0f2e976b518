using Lumora.Domain.Bandwidth;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Nodes;
using Lumora.Domain.Purchases;
using Lumora.Domain.Rewards;
using Lumora.Domain.Tasks;

namespace Lumora.Integration.Tests.Cli;

/// <summary>
/// A whole network's events, made by the domain's own rules, in a log whose operator may change any of them before it is signed:
/// participants, a sale that is delivered and released, one that is refunded, and two closed and paid epochs.
/// </summary>
internal sealed class ForgedNetwork
{
    public const string Sold = "purchase_sold";
    public const string Refunded = "purchase_refunded";
    public const long Price = 1_000_000_007;

    private const string Journal = "ledger/main";
    private static readonly Sealed Recipient = Sealed.Seal(new byte[Sealed.KeyLength], "buyer", "age_recipient", "age1", bytes => bytes.Clear());
    private readonly List<Entry> _entries = [];

    public ForgedNetwork()
    {
        foreach (var code in ChartOfAccounts.Standing)
            Ledger(new AccountOpened($"open/{code}", code, ChartOfAccounts.Lmr, ChartOfAccounts.RuleOf(code)!.Floor), "system:ledger");
        foreach (var participant in new[] { "buyer", "publisher", "alice", "bob" })
            Ledger(new AccountOpened($"open/{participant}", Account(participant), ChartOfAccounts.Lmr, 0), "system:test");
        Post("system:test", "fund", "test_funding", null, new Posting(ChartOfAccounts.Emission, Account("buyer"), new Amount(5 * Price)));
        Sell();
        Epochs();
    }

    /// <summary>Entries of the log.</summary>
    public int Count => _entries.Count;

    /// <summary>Changes every event of a kind for which <paramref name="change"/> gives another one; null takes it away.</summary>
    public ForgedNetwork Change<T>(Func<T, T?> change)
        where T : class
    {
        for (var i = _entries.Count - 1; i >= 0; i--)
        {
            if (_entries[i].Event is not T before || change(before) is var after && ReferenceEquals(before, after))
                continue;
            if (after is null)
                _entries.RemoveAt(i);
            else
                _entries[i] = _entries[i] with { Event = after };
        }

        return this;
    }

    /// <summary>Moves the first event of a kind that <paramref name="which"/> names in front of all others of its own.</summary>
    public ForgedNetwork MoveBefore<T>(Func<T, bool> which, Func<object, bool> before)
    {
        var entry = _entries.First(one => one.Event is T @event && which(@event));
        _entries.Remove(entry);
        _entries.Insert(_entries.FindIndex(one => before(one.Event)), entry);
        return this;
    }

    /// <summary>Writes <paramref name="count"/> entries, from <paramref name="from"/> on, into a log; versions follow the order.</summary>
    public void WriteTo(ForgedLog log, int from = 0, int count = int.MaxValue)
    {
        var versions = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var i = 0; i < _entries.Count; i++)
        {
            var entry = _entries[i];
            var version = versions[entry.Stream] = versions.GetValueOrDefault(entry.Stream) + 1;
            if (i >= from && i < (long)from + count)
                log.Add(entry.Stream, version, entry.Event, entry.Actor, at: entry.At);
        }
    }

    private static string Account(string participant) => ChartOfAccounts.Available(participant);

    // The purchase's event and its transaction are one commit: same time, the event in front.
    private void Sell()
    {
        var split = PurchaseSplit.Default;
        foreach (var purchase in new[] { Sold, Refunded })
        {
            Add($"purchase/{purchase}", new DatasetPurchased(
                purchase, $"quote_{purchase}", "buyer", "dataset_1", SemVer.First, "publisher", new Amount(Price), split, 3_600, Recipient, Now), "buyer");
            Post("buyer", $"buy/{purchase}", "purchase", purchase, new Posting(Account("buyer"), ChartOfAccounts.Escrow(purchase), new Amount(Price)));
            Add($"purchase/{purchase}", new DeliveryHeaderWritten(purchase, "data.parquet", 200, new string('a', 64), Now), "buyer");
            Add($"purchase/{purchase}", new DeliveryGranted(purchase, $"grant_{purchase}", 1_000_000, Now.AddHours(1), Now), "buyer");
            Add($"purchase/{purchase}", new DeliveryServed(purchase, "data.parquet", Now), "buyer");
        }

        var shares = split.Divide(new Amount(Price));
        Add($"purchase/{Sold}", new DeliveryConfirmed(Sold, Now), "buyer");
        Add($"purchase/{Sold}", new PurchaseReleased(Sold, $"release/{Sold}", shares, ReleaseTrigger.Confirmed, null, Now), "system:market");
        Post(
            "system:market", $"release/{Sold}", "purchase_release", Sold,
            new Posting(ChartOfAccounts.Escrow(Sold), Account("publisher"), shares.Publisher),
            new Posting(ChartOfAccounts.Escrow(Sold), ChartOfAccounts.Rewards, shares.Rewards),
            new Posting(ChartOfAccounts.Escrow(Sold), ChartOfAccounts.Fees, shares.Fees),
            new Posting(ChartOfAccounts.Escrow(Sold), ChartOfAccounts.Burned, shares.Burned));
        Add($"purchase/{Refunded}", new DeliveryDisputed(Refunded, "data.parquet", 0, new string('b', 64), Now), "buyer");
        Add($"purchase/{Refunded}", new PurchaseRefunded(Refunded, $"refund/{Refunded}", new Amount(Price), "body_differs", Now), "system:market");
        Post(
            "system:market", $"refund/{Refunded}", "purchase_refund", Refunded,
            new Posting(ChartOfAccounts.Escrow(Refunded), Account("buyer"), new Amount(Price)));
    }

    private void Epochs()
    {
        var day = EpochClock.EpochOf(Now, 86_400);
        foreach (var (node, owner, at) in new[] { ("node1", "alice", Now.AddDays(-10)), ("node2", "bob", Now), ("node3", "bob", Now) })
            Add($"node/{node}", new NodeRegistered(node, owner, null, NodeAllowance.Default, at), owner);
        for (var epoch = day; epoch < day + 2; epoch++)
        {
            List<EpochInput> inputs =
            [
                Work($"c1_{epoch}", "node1", "alice", 900_000, epoch), Work($"c2_{epoch}", "node2", "bob", 700_001, epoch), Work($"c3_{epoch}", "node3", "bob", 5_000, epoch),
            ];
            Add($"task/refused_{epoch}", new TaskRejected($"refused_{epoch}", "lease", "node2", "content_root_mismatch", "differs", Now, Now), "system:curator");
            NodeWork[] work =
            [
                new("node1", "alice", 900_000, 1, 1, epoch - day + 10, Suspended: false), new("node2", "bob", 700_001, 1, 2, epoch - day, Suspended: false),
                new("node3", "bob", 5_000, 1, 1, epoch - day, Suspended: false),
            ];
            var closed = (Decision.Accepted)EpochDecider.Close(
                null, new EpochInputs(epoch, Amount.FromLmr(10_000), inputs, work), "steward", "end of the day", Now);
            foreach (var @event in closed.Events)
                Add($"epoch/{epoch}", @event, "steward");
            Pay(epoch, closed.Events);
        }
    }

    private void Pay(long epoch, IReadOnlyList<object> events)
    {
        var computed = events.OfType<EpochRewardsComputed>().Single();
        var shares = events.OfType<RewardsAllocated>().SelectMany(page => page.Allocations).Select(one => (one.Provider, one.Amount)).ToList();
        var pages = EpochPayments.Pages(epoch, computed.Unallocated, shares);
        foreach (var page in pages)
            Post("system:rewards", page.Key, "epoch_reward", null, [.. page.Postings.Select(one => new Posting(one.From, one.To, one.Amount))]);
        Add($"epoch/{epoch}", new EpochPaid(epoch, pages.Count, Now), "system:rewards");
    }

    private EpochInput Work(string id, string node, string owner, long bytes, long epoch)
    {
        Add($"task/{id}", new ContributionRecorded(id, node, owner, $"task_{id}", $"lease_{id}", "collection_1", epoch, 3, bytes, new string('c', 64), Now), "system:curator");
        return new EpochInput(id, node, owner, bytes, new string('c', 64));
    }

    private DateTimeOffset Now => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(_entries.Count);

    private void Post(string actor, string id, string kind, string? purchase, params Posting[] postings)
    {
        var opened = postings.Select(posting => posting.To).Where(to => to.StartsWith("escrow/", StringComparison.Ordinal)).Select(to => new AccountKey(to, ChartOfAccounts.Lmr)).ToList();
        Ledger(
            new TransactionPosted(
                id, kind, postings, purchase is null ? null : new TransactionReference("purchase", purchase), null, opened.Count == 0 ? null : opened),
            actor);
    }

    private void Ledger(object @event, string actor) => Add(Journal, @event, actor);

    private void Add(string stream, object @event, string actor)
    {
        // What is committed with a transaction has the transaction's time, which is that of the entry behind it.
        var shift = @event is DatasetPurchased or PurchaseReleased or PurchaseRefunded ? 1 : 0;
        _entries.Add(new Entry(stream, @event, actor, Now.AddSeconds(shift)));
    }

    private sealed record Entry(string Stream, object Event, string Actor, DateTimeOffset At);
}
