using System.Globalization;
using Lumora.Cli.Reports;
using Lumora.Domain.Bandwidth;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Nodes;
using Lumora.Domain.Rewards;
using Lumora.Domain.Tasks;

namespace Lumora.Cli.Audit;

/// <summary>
/// Closes every epoch again, by the published formula, from the contributions, refusals and registrations that the log holds in
/// front of it, and holds allocations and payments against that.
/// </summary>
/// <param name="epochs">How long an epoch is: a setting of the operator that is no event.</param>
internal sealed class RewardCheck(EpochLength epochs) : IAuditPart
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "rewards_by_formula";

    private const string PaymentKeyPrefix = "epoch/";
    private static readonly string PaymentActor = Actor.System("rewards").Id;

    private readonly Dictionary<string, NodeFacts> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<DateTimeOffset>> _refusals = new(StringComparer.Ordinal);
    private readonly Dictionary<long, List<EpochInput>> _contributions = [];
    private readonly Dictionary<long, EpochBooking> _bookings = [];
    private EpochClose? _closing;
    private long _lastSealed = -1;
    private DateTimeOffset _lastSealedAt = DateTimeOffset.MinValue;

    /// <summary>Epochs that were closed again.</summary>
    public long Epochs { get; private set; }

    /// <summary>Epochs whose weights do not follow with the length that was supposed; the rest of them does.</summary>
    public long WeightsOpen { get; private set; }

    /// <inheritdoc/>
    public IEnumerable<Finding> Take(LoggedEvent entry)
    {
        // Most entries are of other slices: a look at the type spares reading them.
        if (LoggedEvent.TypeOf(entry.Leaf.Type)?.Namespace is not { } slice || !IsOfInterest(slice, entry))
            return [];
        if (entry.Event is null)
            return [new Finding(Claim, entry.Where, entry.Fault ?? "its data cannot be read")];
        return Fault(entry) is { } fault ? [new Finding(Claim, entry.Where, fault)] : [];
    }

    /// <inheritdoc/>
    public void Save(BinaryWriter output)
    {
        output.Write(Epochs);
        output.Write(WeightsOpen);
        output.Write(_lastSealed);
        output.Write(_lastSealedAt.UtcTicks);
        output.WriteList(_nodes, output.WriteJson);
        output.WriteList(_refusals, output.WriteJson);
        output.WriteList(_contributions, output.WriteJson);
        output.WriteList(_bookings, output.WriteJson);
        output.WriteList<EpochClose>(_closing is null ? [] : [_closing], output.WriteJson);
    }

    /// <inheritdoc/>
    public void Load(BinaryReader input)
    {
        (Epochs, WeightsOpen) = (input.ReadInt64(), input.ReadInt64());
        (_lastSealed, _lastSealedAt) = (input.ReadInt64(), new DateTimeOffset(input.ReadInt64(), TimeSpan.Zero));
        Fill(_nodes);
        Fill(_refusals);
        Fill(_contributions);
        Fill(_bookings);
        _closing = input.ReadList(input.ReadJson<EpochClose>) switch
        {
            [] => null,
            [var closing] => closing,
            _ => throw new InvalidDataException("Two epochs are being closed at once."),
        };

        void Fill<TKey, TValue>(Dictionary<TKey, TValue> rows)
            where TKey : notnull
        {
            foreach (var (key, value) in input.ReadList(input.ReadJson<KeyValuePair<TKey, TValue>>))
                rows[key] = value;
        }
    }

    private static bool IsOfInterest(string slice, LoggedEvent entry) =>
        slice == typeof(EpochInputsSealed).Namespace || slice == typeof(ContributionRecorded).Namespace
        || slice == typeof(NodeRegistered).Namespace || entry.Leaf.Type == "task_rejected"
        || (entry.Leaf.Type == "transaction_posted" && entry.Leaf.Actor == PaymentActor);

    private string? Fault(LoggedEvent entry)
    {
        switch (entry.Event)
        {
            case NodeRegistered e:
                _nodes[e.NodeId] = new NodeFacts(e.RegisteredAt, Suspended: false);
                return null;
            case NodeSuspended e when _nodes.TryGetValue(e.NodeId, out var node):
                _nodes[e.NodeId] = node with { Suspended = true };
                return null;
            case NodeReinstated e when _nodes.TryGetValue(e.NodeId, out var node):
                _nodes[e.NodeId] = node with { Suspended = false };
                return null;
            case TaskRejected e:
                if (!_refusals.TryGetValue(e.NodeId, out var refusals))
                    _refusals[e.NodeId] = refusals = [];
                refusals.Add(e.RejectedAt);
                return null;
            case ContributionRecorded e:
                return Contribute(e);
            case EpochInputsSealed e:
                return Seal(e);
            case RewardsAllocated e:
                return Close(e.Epoch)?.Take(e);
            case PoolUnallocated e:
                return Close(e.Epoch)?.Take(e);
            case EpochRewardsComputed e:
                return Close(e.Epoch) is { } close ? Compute(close, e) : "no inputs were sealed for it";
            case EpochPaid e:
                return Pay(e);
            case TransactionPosted e when e.Id.StartsWith(PaymentKeyPrefix, StringComparison.Ordinal):
                return Post(e);
            default:
                return null;
        }
    }

    private EpochClose? Close(long epoch) => _closing?.Sealed.Epoch == epoch ? _closing : null;

    private string? Contribute(ContributionRecorded e)
    {
        if (e.Epoch <= _lastSealed)
            return string.Create(CultureInfo.InvariantCulture, $"it enters the epoch {e.Epoch}, whose inputs are sealed");
        if (!_nodes.ContainsKey(e.NodeId))
            return $"its node {e.NodeId} was never registered";
        if (!_contributions.TryGetValue(e.Epoch, out var inputs))
            _contributions[e.Epoch] = inputs = [];
        inputs.Add(new EpochInput(e.ContributionId, e.NodeId, e.Owner, e.Bytes, e.ReceiptHash));
        return null;
    }

    private string? Seal(EpochInputsSealed e)
    {
        if (e.Epoch <= _lastSealed)
            return string.Create(CultureInfo.InvariantCulture, $"the epoch {_lastSealed} is sealed already");
        var open = _contributions.Keys.Where(epoch => epoch < e.Epoch).Order().FirstOrDefault(-1);
        var contributions = _contributions.GetValueOrDefault(e.Epoch) ?? [];
        _closing = new EpochClose(e, contributions, Work(e.Epoch, contributions));
        _contributions.Remove(e.Epoch);
        (_lastSealed, _lastSealedAt) = (e.Epoch, e.SealedAt > _lastSealedAt ? e.SealedAt : _lastSealedAt);
        // Refusals count for one epoch only: that which is open when they happen.
        foreach (var refusals in _refusals.Values)
            refusals.RemoveAll(at => at <= _lastSealedAt);
        return open >= 0
            ? string.Create(CultureInfo.InvariantCulture, $"the epoch {open}, which has contributions, is passed over")
            : _closing.SealFault();
    }

    private List<NodeWork> Work(long epoch, List<EpochInput> contributions) =>
    [
        .. contributions.GroupBy(input => (input.NodeId, input.Owner)).Select(node =>
        {
            var refused = _refusals.GetValueOrDefault(node.Key.NodeId)?.Count(at => at > _lastSealedAt) ?? 0;
            var facts = _nodes[node.Key.NodeId];
            return new NodeWork(
                node.Key.NodeId, node.Key.Owner, node.Sum(input => input.Bytes), node.Count(), node.Count() + refused,
                epoch - EpochClock.EpochOf(facts.RegisteredAt, epochs.Seconds), facts.Suspended);
        }),
    ];

    private string? Compute(EpochClose close, EpochRewardsComputed e)
    {
        _closing = null;
        Epochs++;
        _bookings[e.Epoch] = new EpochBooking(
        [
            .. EpochPayments.Pages(
                e.Epoch, e.Unallocated, [.. close.Stated.OrderBy(reward => reward.Provider, StringComparer.Ordinal).Select(reward => (reward.Provider, reward.Amount))])
                .Select(page => new BookedPage(page.Key, page.Postings)),
        ]);
        var fault = close.Fault(e, epochs.IsKnown, out var weightsOpen);
        WeightsOpen += weightsOpen ? 1 : 0;
        return fault;
    }

    private string? Post(TransactionPosted e)
    {
        var parts = e.Id.Split('/');
        if (parts.Length != 3 || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            || _bookings.GetValueOrDefault(epoch)?.Pages.Find(page => page.Key == e.Id) is not { } booked)
            return $"{e.Id} pays what no closed epoch has allocated";
        booked.IsPosted = true;
        var same = e.Postings.Select(posting => new EpochPosting(posting.From, posting.To, posting.Amount)).SequenceEqual(booked.Postings)
            && e.Postings.All(posting => posting.Asset == ChartOfAccounts.Lmr);
        return same ? null : $"{e.Id} does not pay what the epoch has allocated";
    }

    private string? Pay(EpochPaid e)
    {
        if (!_bookings.Remove(e.Epoch, out var booking))
            return "the epoch was not computed";
        if (booking.Pages.Find(page => !page.IsPosted) is { } open)
            return $"the transaction {open.Key} is not in the journal";
        return booking.Pages.Count == e.Transactions
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"it says {e.Transactions} transactions, {booking.Pages.Count} were due");
    }

    private sealed record NodeFacts(DateTimeOffset RegisteredAt, bool Suspended);

    private sealed record EpochBooking(List<BookedPage> Pages);

    private sealed record BookedPage(string Key, IReadOnlyList<EpochPosting> Postings)
    {
        public bool IsPosted { get; set; }
    }
}
