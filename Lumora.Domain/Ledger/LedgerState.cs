using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>
/// The part of a ledger that a run of requests needs: accounts, holds, outcomes, reversible transactions and companion
/// streams that were loaded, advanced by <see cref="Apply(JournalEvent)"/> alone. The same fold serves the writer and the
/// replay that checks it. It is a working set of one thread: what is not in it counts as absent, so whoever decides
/// loads first.
/// </summary>
public sealed class LedgerState
{
    private readonly Dictionary<AccountKey, LedgerAccount> _accounts;
    private readonly Dictionary<long, LedgerHold> _holds = [];
    private readonly Dictionary<Guid, RecordedOutcome> _outcomes;
    private readonly Dictionary<long, LedgerMovement> _movements = [];
    private readonly Dictionary<string, long> _streams = new(StringComparer.Ordinal);
    private readonly Dictionary<AccountKey, LedgerAccount?> _touched;
    private readonly bool _keepMovements;
    private List<Action>? _undo;

    /// <summary>A state at <paramref name="version"/> of its journal with nothing loaded.</summary>
    /// <param name="version">Events in the journal.</param>
    /// <param name="accountCount">Accounts ever opened.</param>
    /// <param name="at">Time of the last event.</param>
    /// <param name="keepMovements">
    /// True = every transaction that is applied can be reversed later: for a replay that cannot look them up.
    /// </param>
    /// <param name="requestCount">How many requests it is for, about.</param>
    public LedgerState(
        long version = 0, long accountCount = 0, DateTimeOffset at = default, bool keepMovements = false, int requestCount = 0)
    {
        (Version, AccountCount, At, _keepMovements) = (version, accountCount, at, keepMovements);
        _accounts = new(2 * requestCount);
        _outcomes = new(requestCount);
        _touched = new(2 * requestCount);
    }

    /// <summary>Events in the journal.</summary>
    public long Version { get; private set; }

    /// <summary>Accounts ever opened.</summary>
    public long AccountCount { get; private set; }

    /// <summary>Time of the last event.</summary>
    public DateTimeOffset At { get; private set; }

    /// <summary>The accounts in the working set.</summary>
    public IReadOnlyCollection<LedgerAccount> Accounts => _accounts.Values;

    /// <summary>The holds in the working set.</summary>
    public IReadOnlyCollection<LedgerHold> Holds => _holds.Values;

    /// <summary>The outcomes in the working set.</summary>
    public IReadOnlyCollection<RecordedOutcome> Outcomes => _outcomes.Values;

    /// <summary>The reversible transactions in the working set.</summary>
    public IReadOnlyCollection<LedgerMovement> Movements => _movements.Values;

    /// <summary>Each account that an event changed, as it was before the first of them; null = it did not exist.</summary>
    public IReadOnlyDictionary<AccountKey, LedgerAccount?> Touched => _touched;

    /// <summary>Adds a stored account.</summary>
    public void Load(LedgerAccount account) => _accounts[account.Key] = account;

    /// <summary>Adds a stored hold.</summary>
    public void Load(LedgerHold hold) => _holds[hold.Number] = hold;

    /// <summary>Adds a stored outcome.</summary>
    public void Load(RecordedOutcome outcome) => _outcomes[outcome.Id] = outcome;

    /// <summary>Adds a stored transaction that may be reversed.</summary>
    public void Load(LedgerMovement movement) => _movements[movement.Version] = movement;

    /// <summary>Adds the version of a locked companion stream.</summary>
    public void LoadStream(string streamId, long version) => _streams[streamId] = version;

    /// <summary>The account of <paramref name="key"/>, or null.</summary>
    public LedgerAccount? Account(AccountKey key) => _accounts.GetValueOrDefault(key);

    /// <summary>The hold of <paramref name="number"/>, or null.</summary>
    public LedgerHold? Hold(long number) => _holds.GetValueOrDefault(number);

    /// <summary>The recorded outcome of <paramref name="id"/>, or null.</summary>
    public RecordedOutcome? Outcome(Guid id) => _outcomes.GetValueOrDefault(id);

    /// <summary>The reversible transaction at <paramref name="version"/>, or null.</summary>
    public LedgerMovement? Movement(long version) => _movements.GetValueOrDefault(version);

    /// <summary>The version of a companion stream; 0 when it does not exist.</summary>
    public long StreamVersion(string streamId) => _streams.GetValueOrDefault(streamId);

    /// <summary>Records that <paramref name="count"/> events join a companion stream.</summary>
    public void AdvanceStream(string streamId, int count) => Set(_streams, streamId, StreamVersion(streamId) + count);

    /// <summary>
    /// Runs <paramref name="attempt"/>; when it returns false, everything that it applied is taken back.
    /// </summary>
    public bool Try(Func<bool> attempt)
    {
        Check.That(_undo is null, "attempts do not nest");
        var (version, accountCount, at) = (Version, AccountCount, At);
        _undo = [];
        try
        {
            if (attempt())
                return true;
            for (var i = _undo.Count - 1; i >= 0; i--)
                _undo[i]();
            (Version, AccountCount, At) = (version, accountCount, at);
            return false;
        }
        finally
        {
            _undo = null;
        }
    }

    /// <summary>Takes the next event of the journal into account and returns the entries that it makes.</summary>
    /// <exception cref="InvariantViolationException">The event does not follow.</exception>
    public IReadOnlyList<LedgerEntry> Apply(JournalEvent next)
    {
        var key = next.Event is ILedgerEvent { Id: { } id } ? id : "";
        return Apply(next, OutcomeId.Of(next.Actor, key), RequestDigest.OfEvent(next.Event));
    }

    /// <summary>As <see cref="Apply(JournalEvent)"/>, for who has id and digest at hand.</summary>
    public IReadOnlyList<LedgerEntry> Apply(JournalEvent next, Guid id, RequestDigest digest)
    {
        Check.That(next.Version == Version + 1);
        Check.That(next.At >= At);
        Check.That(!_outcomes.ContainsKey(id), "one outcome per (actor, key)");
        (Version, At) = (next.Version, next.At);
        var rejected = next.Event as TransactionRejected;
        Set(_outcomes, id, new RecordedOutcome(
            id, digest, next.Version, next.At, rejected?.Code, rejected?.Field, TransactionLabel.Of(next.Event)));
        var entries = Fold(next);
        if (_keepMovements && LedgerMovement.Of(next.Version, next.Event) is { } movement)
            Set(_movements, movement.Version, movement);
        return entries;
    }

    private LedgerEntry[] Fold(JournalEvent next)
    {
        switch (next.Event)
        {
            case TransactionPosted e:
                return Post(LedgerMovement.Resolve(e.Postings, e.ToSuspense), e.Opened);
            case TransactionRejected:
                break;
            case AccountOpened e:
                Open(new AccountKey(e.Code, e.Asset), e.Floor);
                break;
            case AccountFrozen e:
                Change(e.Code, e.Asset, account => account with { Status = AccountStatus.Frozen });
                break;
            case AccountUnfrozen e:
                Change(e.Code, e.Asset, account => account with { Status = AccountStatus.Open });
                break;
            case AccountClosed e:
                Check.That(Required(new AccountKey(e.Code, e.Asset)) is { Balance: 0, Held: 0 }, "a closed account is empty");
                Change(e.Code, e.Asset, account => account with { Status = AccountStatus.Closed });
                break;
            case FloorChanged e:
                Change(e.Code, e.Asset, account => account with { Floor = e.Floor });
                break;
            case FundsHeld e:
                Hold(next, e);
                break;
            case HoldCaptured e:
                return Capture(e);
            case HoldReleased e:
                End(e.Hold, e.Amount, HoldStatus.Released);
                break;
            case HoldExpired e:
                Check.That(next.At > RequiredHold(e.Hold).Deadline, "a hold expires after its deadline");
                End(e.Hold, e.Amount, HoldStatus.Expired);
                break;
            case TransactionReversed e:
                return Reverse(e);
            default:
                throw new InvariantViolationException($"{next.Event.GetType().Name} is no event of the ledger");
        }

        return [];
    }

    private void Hold(JournalEvent next, FundsHeld e)
    {
        var key = new AccountKey(e.Code, e.Asset);
        Check.That(Required(key).Status == AccountStatus.Open);
        Check.That(e.Amount > Amount.Zero && e.Deadline > next.At, "a hold is of something and ends later");
        Change(e.Code, e.Asset, account => account with { Held = checked(account.Held + e.Amount.Units) });
        Set(_holds, next.Version, new LedgerHold(
            next.Version, next.Actor, key, e.Kind, e.Reference, e.Amount.Units, e.Amount.Units, Captured: 0, e.Deadline,
            HoldStatus.Open, next.Version));
    }

    private LedgerEntry[] Capture(HoldCaptured e)
    {
        var hold = RequiredHold(e.Hold);
        var captured = e.Payments.Aggregate(0L, (sum, payment) => checked(sum + payment.Amount.Units));
        var left = checked(hold.Left - captured - e.Released.Units);
        Check.That(hold.Status == HoldStatus.Open && At <= hold.Deadline, "only an open hold is captured, in time");
        Check.That(hold.Account == new AccountKey(e.Code, e.Asset), "a capture pays from the account of its hold");
        Check.That(left >= 0 && (left == 0 || !e.Finish) && (e.Finish || e.Released == Amount.Zero), "a hold covers its captures");
        Change(e.Code, e.Asset, account => account with { Held = checked(account.Held - captured - e.Released.Units) });
        Set(_holds, hold.Number, hold with
        {
            Left = left,
            Captured = checked(hold.Captured + captured),
            Status = left == 0 ? HoldStatus.Captured : HoldStatus.Open,
            Version = Version,
        });
        return Post(LedgerMovement.PostingsOf(e), e.Opened);
    }

    private void End(long number, Amount amount, HoldStatus status)
    {
        var hold = RequiredHold(number);
        Check.That(hold.Status == HoldStatus.Open && hold.Left == amount.Units, "what is left of an open hold goes back");
        Change(hold.Account.Code, hold.Account.Asset, account => account with { Held = checked(account.Held - amount.Units) });
        Set(_holds, number, hold with { Left = 0, Status = status, Version = Version });
    }

    private LedgerEntry[] Reverse(TransactionReversed e)
    {
        var movement = _movements.GetValueOrDefault(e.Transaction)
            ?? throw new InvariantViolationException("a reversal names a transaction that moved money");
        Check.That(e.Reversed.Count == e.Postings.Count, "one posting for each part");
        for (var i = 0; i < e.Postings.Count; i++)
        {
            var original = movement.Postings[e.Reversed[i].Posting];
            Check.That(
                e.Postings[i] == new Posting(original.To, original.From, e.Reversed[i].Amount, original.Asset),
                "money goes back to where it came from");
        }

        var after = movement.With(e.Reversed);
        for (var i = 0; i < after.Reversed.Count; i++)
            Check.That(after.Reversed[i] <= after.Postings[i].Amount.Units, "reversals never move more than the transaction did");
        Set(_movements, movement.Version, after);
        return Post(LedgerMovement.Resolve(e.Postings, e.ToSuspense), e.Opened);
    }

    private LedgerEntry[] Post(IReadOnlyList<Posting> postings, IReadOnlyList<AccountKey>? opened)
    {
        foreach (var key in opened ?? [])
            Open(key, 0);
        var entries = new LedgerEntry[postings.Count * 2];
        for (var i = 0; i < postings.Count; i++)
        {
            var posting = postings[i];
            Check.That(posting.Amount > Amount.Zero);
            entries[2 * i] = Move(new AccountKey(posting.From, posting.Asset), -posting.Amount.Units, 2 * i);
            entries[2 * i + 1] = Move(new AccountKey(posting.To, posting.Asset), posting.Amount.Units, 2 * i + 1);
        }

        foreach (var posting in postings)
            Check.That(_accounts[new AccountKey(posting.From, posting.Asset)].RespectsFloor);
        return entries;
    }

    private LedgerEntry Move(AccountKey key, long amount, int line)
    {
        var account = Required(key);
        Check.That(account.Status == AccountStatus.Open);
        account = account with { Balance = checked(account.Balance + amount), Version = Version };
        Put(key, account);
        return new LedgerEntry(account.Number, Version, (short)line, amount, account.Balance);
    }

    private void Open(AccountKey key, long? floor)
    {
        Check.That(!_accounts.ContainsKey(key), "an account is opened once");
        AccountCount++;
        Put(key, new LedgerAccount(AccountCount, key, 0, 0, floor, AccountStatus.Open, Version));
    }

    private void Change(string code, string asset, Func<LedgerAccount, LedgerAccount> change)
    {
        var key = new AccountKey(code, asset);
        var before = Required(key);
        var after = change(before) with { Version = Version };
        Check.That(before.Status != AccountStatus.Closed && after.RespectsFloor && after.Held >= 0);
        Put(key, after);
    }

    private LedgerAccount Required(AccountKey key) => _accounts.GetValueOrDefault(key)
        ?? throw new InvariantViolationException($"the account {key.Code} exists");

    private LedgerHold RequiredHold(long number) =>
        _holds.GetValueOrDefault(number) ?? throw new InvariantViolationException($"the hold {number} exists");

    private void Put(AccountKey key, LedgerAccount account)
    {
        if (!_touched.ContainsKey(key))
            _touched[key] = _accounts.GetValueOrDefault(key);
        Set(_accounts, key, account);
    }

    private void Set<TKey, TValue>(Dictionary<TKey, TValue> rows, TKey key, TValue value)
        where TKey : notnull
    {
        if (_undo is { } undo)
            undo.Add(Undo(rows, key));
        rows[key] = value;
    }

    // Apart from its caller, which would pay for the closure with every row.
    private static Action Undo<TKey, TValue>(Dictionary<TKey, TValue> rows, TKey key)
        where TKey : notnull
    {
        if (rows.TryGetValue(key, out var before))
            return () => rows[key] = before;
        return () => rows.Remove(key);
    }
}
