using System.Globalization;
using System.Runtime.InteropServices;
using Lumora.Cli.Reports;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Log;

namespace Lumora.Cli.Audit;

/// <summary>
/// Plays each journal <c>ledger/{shard}</c> again with the ledger's own fold, which holds every floor, one outcome for each (actor,
/// key) and rising times, and then sums the balances of each asset. A journal that breaks a rule is not followed any further.
/// </summary>
internal sealed class LedgerCheck : IAuditPart
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "ledger_balanced";

    /// <summary>What the names of journals begin with.</summary>
    public const string JournalPrefix = "ledger/";

    private readonly Dictionary<string, LedgerState?> _journals = new(StringComparer.Ordinal);
    // Of the transaction at hand.
    private readonly Dictionary<AccountKey, Int128> _change = [];

    /// <summary>Journals so far.</summary>
    public int Journals => _journals.Count;

    /// <summary>Transactions, rejections and account changes so far.</summary>
    public long Events { get; private set; }

    /// <summary>Accounts in all journals.</summary>
    public int Accounts => _journals.Values.Sum(state => state?.Accounts.Count ?? 0);

    /// <summary>The accounts of the journal of <paramref name="shard"/> and how far it goes; null when there is none.</summary>
    public LedgerState? Journal(string shard) => _journals.GetValueOrDefault(LedgerJournal.StreamId(shard));

    /// <inheritdoc/>
    public IEnumerable<Finding> Take(LoggedEvent entry)
    {
        var leaf = entry.Leaf;
        if (!leaf.Stream.StartsWith(JournalPrefix, StringComparison.Ordinal))
            return [];
        if (!_journals.TryGetValue(leaf.Stream, out var state))
            _journals[leaf.Stream] = state = new LedgerState(keepMovements: true);
        if (state is null)
            return [];
        Events++;
        if (Fold(state, entry) is not { } fault)
            return [];
        _journals[leaf.Stream] = null;
        return [new Finding(Claim, entry.Where, fault)];
    }

    /// <inheritdoc/>
    public void Save(BinaryWriter output)
    {
        output.Write(Events);
        output.WriteList(_journals, journal =>
        {
            output.Write(journal.Key);
            JournalState.Save(output, journal.Value ?? throw new InvalidOperationException("A journal with a fault is not kept."));
        });
    }

    /// <inheritdoc/>
    public void Load(BinaryReader input)
    {
        Events = input.ReadInt64();
        foreach (var (journal, state) in input.ReadList(() => (input.ReadString(), JournalState.Load(input))))
            _journals[journal] = state;
    }

    /// <summary>Sums the balances; what does not add up.</summary>
    public IEnumerable<Finding> Finish()
    {
        foreach (var (journal, state) in _journals)
        {
            if (state is null)
                continue;
            foreach (var asset in state.Accounts.GroupBy(account => account.Key.Asset, StringComparer.Ordinal))
            {
                var sum = asset.Aggregate((Int128)0, (total, account) => total + account.Balance);
                if (sum != 0)
                    yield return new Finding(
                        Claim, journal,
                        string.Create(CultureInfo.InvariantCulture, $"all balances of {asset.Key} together are {sum} base units, not 0"));
            }

            foreach (var account in state.Accounts.Where(account => !account.RespectsFloor))
                yield return new Finding(
                    Claim, $"{journal} account {account.Key.Code}",
                    string.Create(CultureInfo.InvariantCulture, $"its balance {account.Balance} is below its floor {account.Floor}"));
        }
    }

    private string? Fold(LedgerState state, LoggedEvent entry)
    {
        var leaf = entry.Leaf;
        if (LoggedEvent.TypeOf(leaf.Type)?.Namespace != typeof(LedgerState).Namespace)
            return $"{leaf.Type} is no event of the ledger";
        try
        {
            if (entry.Event is not ILedgerEvent @event || IsIncomplete(@event))
                return entry.Fault ?? $"its data is no {leaf.Type}";
            var id = OutcomeId.Of(leaf.Actor ?? "", @event.Id);
            if (FaultOf(state, leaf, @event, id) is { } fault)
                return fault;
            state.Apply(new JournalEvent(leaf.Version, leaf.Actor ?? "", leaf.At, @event), id, JournalState.NoDigest);
            return null;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            return $"its data is no {leaf.Type}: {exception.Message}";
        }
        catch (KeyNotFoundException)
        {
            return "it changes an account that does not exist";
        }
        catch (OverflowException)
        {
            return "a balance leaves the 64-bit range";
        }
        catch (InvariantViolationException exception)
        {
            return exception.Message;
        }
    }

    // A list or a text that is missing in the JSON is null here, whatever its type says: what is kept of an event must be whole.
    private static bool IsIncomplete(ILedgerEvent @event)
    {
        (TransactionReference? reference, IReadOnlyList<AccountKey>? opened) = @event switch
        {
            AccountOpened e => (null, [new AccountKey(e.Code, e.Asset)]),
            TransactionPosted e => (e.Reference, e.Opened),
            FundsHeld e => (e.Reference, null),
            HoldCaptured e => (e.Reference, e.Opened),
            TransactionReversed e => (e.Reference, e.Opened),
            _ => (null, null),
        };
        return @event is { Id: null } or TransactionPosted { Postings: null } or HoldCaptured { Payments: null }
                or TransactionReversed { Postings: null } or TransactionReversed { Reversed: null }
            || reference is { Type: null } or { Id: null }
            || opened?.Any(key => key is { Code: null } or { Asset: null }) == true;
    }

    /// <summary>The common faults in words; the fold's own assertions stand behind them.</summary>
    private string? FaultOf(LedgerState state, Leaf leaf, ILedgerEvent @event, Guid id)
    {
        if (leaf.At < state.At)
            return $"its time {leaf.At.ToWire()} lies before the event in front of it";
        switch (@event)
        {
            case TransactionPosted posted:
                if (state.Outcome(id) is { } first)
                    return $"{leaf.Actor} has a second outcome for the key {posted.Id}, after version {first.JournalVersion}";
                return PostingsFault(state, posted);
            case AccountOpened opened when state.Account(new AccountKey(opened.Code, opened.Asset)) is not null:
                return $"the account {opened.Code} is opened a second time";
            case FloorChanged or AccountFrozen or AccountUnfrozen or AccountClosed:
                var (code, asset) = @event switch
                {
                    FloorChanged e => (e.Code, e.Asset),
                    AccountFrozen e => (e.Code, e.Asset),
                    AccountUnfrozen e => (e.Code, e.Asset),
                    _ => (((AccountClosed)@event).Code, ((AccountClosed)@event).Asset),
                };
                return state.Account(new AccountKey(code, asset)) is null ? $"the account {code} does not exist" : null;
            default:
                return null;
        }
    }

    private string? PostingsFault(LedgerState state, TransactionPosted posted)
    {
        // By far the most of them: one posting between two open accounts that leaves its payer at or above the floor.
        if (posted is { Postings: [{ From: not null, To: not null, Asset: not null, Amount.Units: >= 1 } only], Opened: null, ToSuspense: null }
            && state.Account(new AccountKey(only.From, only.Asset)) is { } payer
            && state.Account(new AccountKey(only.To, only.Asset)) is { } payee
            && !ReferenceEquals(payer, payee)
            && (payer.Floor is not { } floor || (Int128)payer.Balance - payer.Held - only.Amount.Units >= floor))
            return null;

        // Balances after all postings: floors are judged at the end of a transaction, not in its middle.
        _change.Clear();
        for (var i = 0; i < posted.Postings.Count; i++)
        {
            var posting = posted.Postings[i];
            if (posting is null or { From: null } or { To: null } or { Asset: null })
                return $"posting {i} is not complete";
            if (posting.Amount.Units < 1)
                return $"posting {i} moves {posting.Amount} base units";
            var receiver = posted.ToSuspense?.Contains(i) == true ? ChartOfAccounts.Suspense(posting.To) : posting.To;
            var fault = Move(new AccountKey(posting.From, posting.Asset), -(Int128)posting.Amount.Units)
                ?? Move(new AccountKey(receiver, posting.Asset), posting.Amount.Units);
            if (fault is not null)
                return $"posting {i} {fault}";
        }

        foreach (var (key, units) in _change)
        {
            var account = state.Account(key);
            var least = account is null ? 0 : account.Floor;
            var left = (account?.Balance ?? 0) - (account?.Held ?? 0) + units;
            if (units < 0 && left < least)
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"the transaction {posted.Id} leaves {key.Code} with {left} base units of {key.Asset}, below its floor {least}");
        }

        return null;

        string? Move(AccountKey key, Int128 units)
        {
            if (state.Account(key) is null && posted.Opened?.Contains(key) != true)
                return $"names the account {key.Code}, which does not exist";
            CollectionsMarshal.GetValueRefOrAddDefault(_change, key, out _) += units;
            return null;
        }
    }
}
