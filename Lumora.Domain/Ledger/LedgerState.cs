using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>
/// The part of a ledger that a run of requests needs: accounts, outcomes and companion streams that were loaded,
/// advanced by <see cref="Apply(JournalEvent)"/> alone. The same fold serves the writer and the replay that checks it. It is a
/// working set of one thread: what is not in it counts as absent, so whoever decides loads first.
/// </summary>
public sealed class LedgerState
{
    private readonly Dictionary<AccountKey, LedgerAccount> _accounts = [];
    private readonly Dictionary<(string Actor, string Key), RecordedOutcome> _outcomes = [];
    private readonly Dictionary<string, long> _streams = new(StringComparer.Ordinal);

    /// <summary>A state at <paramref name="version"/> of its journal with nothing loaded.</summary>
    /// <param name="version">Events in the journal.</param>
    /// <param name="accountCount">Accounts ever opened.</param>
    /// <param name="at">Time of the last event.</param>
    public LedgerState(long version = 0, long accountCount = 0, DateTimeOffset at = default) =>
        (Version, AccountCount, At) = (version, accountCount, at);

    /// <summary>Events in the journal.</summary>
    public long Version { get; private set; }

    /// <summary>Accounts ever opened.</summary>
    public long AccountCount { get; private set; }

    /// <summary>Time of the last event.</summary>
    public DateTimeOffset At { get; private set; }

    /// <summary>The accounts in the working set.</summary>
    public IReadOnlyCollection<LedgerAccount> Accounts => _accounts.Values;

    /// <summary>The outcomes in the working set.</summary>
    public IReadOnlyCollection<RecordedOutcome> Outcomes => _outcomes.Values;

    /// <summary>Adds a stored account.</summary>
    public void Load(LedgerAccount account) => _accounts[account.Key] = account;

    /// <summary>Adds a stored outcome.</summary>
    public void Load(RecordedOutcome outcome) => _outcomes[(outcome.Actor, outcome.Key)] = outcome;

    /// <summary>Adds the version of a locked companion stream.</summary>
    public void LoadStream(string streamId, long version) => _streams[streamId] = version;

    /// <summary>The account of <paramref name="key"/>, or null.</summary>
    public LedgerAccount? Account(AccountKey key) => _accounts.GetValueOrDefault(key);

    /// <summary>The recorded outcome of (actor, key), or null.</summary>
    public RecordedOutcome? Outcome(string actor, string key) => _outcomes.GetValueOrDefault((actor, key));

    /// <summary>The version of a companion stream; 0 when it does not exist.</summary>
    public long StreamVersion(string streamId) => _streams.GetValueOrDefault(streamId);

    /// <summary>Records that <paramref name="count"/> events join a companion stream.</summary>
    public void AdvanceStream(string streamId, int count) => _streams[streamId] = StreamVersion(streamId) + count;

    /// <summary>Takes the next event of the journal into account and returns the entries that it makes.</summary>
    public IReadOnlyList<LedgerEntry> Apply(JournalEvent next) => Apply(next, RequestDigest.OfEvent(next.Event));

    /// <summary>As <see cref="Apply(JournalEvent)"/>, for who has the digest at hand.</summary>
    public IReadOnlyList<LedgerEntry> Apply(JournalEvent next, RequestDigest digest)
    {
        Check.That(next.Version == Version + 1);
        Check.That(next.At >= At);
        (Version, At) = (next.Version, next.At);
        switch (next.Event)
        {
            case TransactionPosted e:
                Record(next, e.Id, digest);
                return Post(e);
            case TransactionRejected e:
                Record(next, e.Id, digest, e.Code, e.Field);
                break;
            case AccountOpened e:
                Record(next, e.Id, digest);
                Open(new AccountKey(e.Code, e.Asset), e.Floor);
                break;
            case AccountFrozen e:
                Record(next, e.Id, digest);
                Change(e.Code, e.Asset, account => account with { Status = AccountStatus.Frozen });
                break;
            case AccountUnfrozen e:
                Record(next, e.Id, digest);
                Change(e.Code, e.Asset, account => account with { Status = AccountStatus.Open });
                break;
            case AccountClosed e:
                Record(next, e.Id, digest);
                Change(e.Code, e.Asset, account => account with { Status = AccountStatus.Closed });
                break;
            case FloorChanged e:
                Record(next, e.Id, digest);
                Change(e.Code, e.Asset, account => account with { Floor = e.Floor });
                break;
            default:
                throw new InvariantViolationException($"{next.Event.GetType().Name} is no event of the ledger");
        }

        return [];
    }

    private void Record(
        JournalEvent next, string id, RequestDigest digest, string? code = null, string? field = null) =>
        Check.That(_outcomes.TryAdd(
            (next.Actor, id), new RecordedOutcome(next.Actor, id, digest, next.Version, next.At, code, field)));

    private void Open(AccountKey key, long? floor)
    {
        AccountCount++;
        Check.That(_accounts.TryAdd(
            key, new LedgerAccount(AccountCount, key, 0, 0, floor, AccountStatus.Open, Version)));
    }

    private void Change(string code, string asset, Func<LedgerAccount, LedgerAccount> change)
    {
        var key = new AccountKey(code, asset);
        var changed = change(_accounts[key]) with { Version = Version };
        Check.That(changed.RespectsFloor);
        _accounts[key] = changed;
    }

    private LedgerEntry[] Post(TransactionPosted posted)
    {
        foreach (var key in posted.Opened ?? [])
            Open(key, 0);
        var entries = new LedgerEntry[posted.Postings.Count * 2];
        for (var i = 0; i < posted.Postings.Count; i++)
        {
            var posting = posted.Postings[i];
            var payee = posted.ToSuspense?.Contains(i) == true ? ChartOfAccounts.Suspense(posting.To) : posting.To;
            entries[2 * i] = Move(new AccountKey(posting.From, posting.Asset), -posting.Amount.Units, 2 * i);
            entries[2 * i + 1] = Move(new AccountKey(payee, posting.Asset), posting.Amount.Units, 2 * i + 1);
        }

        foreach (var entry in posted.Postings)
            Check.That(_accounts[new AccountKey(entry.From, entry.Asset)].RespectsFloor);
        return entries;
    }

    private LedgerEntry Move(AccountKey key, long amount, int line)
    {
        var account = _accounts[key];
        Check.That(account.Status == AccountStatus.Open);
        account = account with { Balance = checked(account.Balance + amount), Version = Version };
        _accounts[key] = account;
        return new LedgerEntry(account.Number, Version, (short)line, amount, account.Balance);
    }
}
