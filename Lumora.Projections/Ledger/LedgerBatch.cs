using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>A batch after its decision.</summary>
/// <param name="State">The working set as the batch leaves it.</param>
/// <param name="Outcomes">The answers, in the order of the batch's requests.</param>
/// <param name="Recorded">Whether the answer made an event, in the same order.</param>
/// <param name="Events">What the journal gets, in order.</param>
/// <param name="Companions">What other streams get with it.</param>
/// <param name="Writes">What the tables get.</param>
internal sealed record DecidedBatch(
    LedgerState State,
    LedgerOutcome[] Outcomes,
    bool[] Recorded,
    IReadOnlyList<JournalEvent> Events,
    IReadOnlyList<(CompanionEvents Companion, JournalEvent Cause)> Companions,
    LedgerWrites Writes);

/// <summary>What a batch needs and what follows from it; no I/O.</summary>
internal static class LedgerBatch
{
    /// <summary>All requests of <paramref name="batch"/>, in order.</summary>
    public static List<PreparedRequest> AskedOf(List<Pending> batch)
    {
        var asked = new List<PreparedRequest>(batch.Count);
        foreach (var pending in batch)
            asked.AddRange(pending.Asked);
        return asked;
    }

    /// <summary>Every account that is known to be looked at before anything is loaded.</summary>
    public static HashSet<AccountKey> AccountsOf(IReadOnlyCollection<PreparedRequest> batch)
    {
        var keys = new HashSet<AccountKey>(2 * batch.Count);
        foreach (var asked in batch)
            AddAccounts(keys, asked.Request);
        return keys;
    }

    /// <summary>What has to be read, when <paramref name="accounts"/> are the ones that the cache lacks.</summary>
    public static LedgerNeeds NeedsOf(IReadOnlyCollection<PreparedRequest> batch, IReadOnlyCollection<AccountKey> accounts)
    {
        var outcomes = new HashSet<Guid>(batch.Count);
        var (holds, movements) = (new HashSet<long>(), new HashSet<long>());
        var streams = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (request, id, _) in batch)
        {
            outcomes.Add(id);
            if (request.Companion is { } companion)
                streams.Add(companion.StreamId);
            switch (request.Command)
            {
                case CaptureHold c:
                    holds.Add(c.Hold);
                    break;
                case ReleaseHold c:
                    holds.Add(c.Hold);
                    break;
                case ExpireHold c:
                    holds.Add(c.Hold);
                    break;
                case ReverseTransaction c:
                    movements.Add(c.Transaction);
                    break;
                default:
                    break;
            }
        }

        return new LedgerNeeds(accounts, outcomes, holds, movements, streams);
    }

    /// <summary>
    /// Accounts that <paramref name="state"/> lacks and that are known to be looked at only once it has the others: those of reversed
    /// transactions, payees of a hold in another asset, and the suspense of payees that may not be open.
    /// </summary>
    public static HashSet<AccountKey> FurtherAccountsOf(IReadOnlyList<PreparedRequest> batch, LedgerState state)
    {
        var keys = new HashSet<AccountKey>();
        // Whoever is frozen or closed in this very batch may be paid in it later.
        var changing = batch.Any(asked => asked.Request.Command is FreezeAccount or CloseAccount);
        foreach (var (request, _, _) in batch)
        {
            var system = ChartOfAccounts.IsSystem(request.Actor);
            switch (request.Command)
            {
                case PostTransaction c when system:
                    foreach (var posting in c.Postings)
                        AddSuspense(keys, state, new AccountKey(posting.To, posting.Asset), changing);
                    break;
                case CaptureHold c when state.Hold(c.Hold) is { } hold:
                    foreach (var payment in c.Payments)
                        AddPayee(keys, state, new AccountKey(payment.To, hold.Account.Asset), system, changing);
                    break;
                case ReverseTransaction c when state.Movement(c.Transaction) is { } movement:
                    foreach (var posting in movement.Postings)
                    {
                        keys.Add(new AccountKey(posting.To, posting.Asset));
                        AddPayee(keys, state, new AccountKey(posting.From, posting.Asset), system, changing);
                    }

                    break;
                default:
                    break;
            }
        }

        keys.RemoveWhere(key => state.Account(key) is not null);
        return keys;
    }

    /// <summary>Decides the batch in order on <paramref name="state"/>; <paramref name="limiter"/> keeps refusals out of the journal.</summary>
    public static DecidedBatch Decide(
        LedgerState state, IReadOnlyList<Pending> batch, DateTimeOffset now, RefusalLimiter? limiter = null)
    {
        var size = batch.Sum(pending => pending.Asked.Count);
        var (outcomes, recorded) = (new LedgerOutcome[size], new bool[size]);
        var events = new List<JournalEvent>(size);
        var companions = new List<(CompanionEvents, JournalEvent)>();
        var entries = new List<LedgerEntry>(size * 2);
        var versionBefore = state.Version;
        var next = 0;
        Func<Actor, TimeSpan?>? waitOf = limiter is null ? null : limiter.Take;
        foreach (var pending in batch)
        {
            var steps = pending is PendingGroup
                ? LedgerDecider.StepAll(state, pending.Asked, now, waitOf)
                : [LedgerDecider.Step(state, pending.Asked[0], now, waitOf)];
            for (var i = 0; i < steps.Count; i++, next++)
            {
                var step = steps[i];
                outcomes[next] = step.Outcome;
                if (step.Event is not { } @event)
                    continue;
                recorded[next] = true;
                events.Add(@event);
                entries.AddRange(step.Entries);
                if (@event.Event is not TransactionRejected && pending.Asked[i].Request.Companion is { } companion)
                    companions.Add((companion, @event));
            }
        }

        return new DecidedBatch(state, outcomes, recorded, events, companions, WritesOf(state, versionBefore, entries));
    }

    private static LedgerWrites WritesOf(LedgerState state, long versionBefore, List<LedgerEntry> entries)
    {
        var (opened, changed) = (new List<LedgerAccount>(), new List<LedgerAccount>());
        foreach (var (key, before) in state.Touched)
        {
            if (state.Account(key) is { } account && account.Version > versionBefore)
                (before is null ? opened : changed).Add(account);
        }

        opened.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        changed.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        // In the order of their key, so that neighbours of its index are written together.
        entries.Sort(static (a, b) => (a.Account, a.JournalVersion, a.Line).CompareTo((b.Account, b.JournalVersion, b.Line)));
        return new LedgerWrites(
            opened, changed,
            [.. state.Outcomes.Where(outcome => outcome.JournalVersion > versionBefore)],
            entries,
            [.. state.Holds.Where(hold => hold.Version > versionBefore).OrderBy(hold => hold.Number)],
            ReversedPosting.Of(state),
            LedgerRollUps.ChangesOf(state));
    }

    private static void AddAccounts(HashSet<AccountKey> keys, LedgerRequest request)
    {
        switch (request.Command)
        {
            case PostTransaction post:
                foreach (var posting in post.Postings)
                {
                    keys.Add(new AccountKey(posting.From, posting.Asset));
                    keys.Add(new AccountKey(posting.To, posting.Asset));
                }

                break;
            case CaptureHold c:
                // The hold's asset is not known yet: LMR most likely, else FurtherAccountsOf names them.
                foreach (var payment in c.Payments)
                    keys.Add(new AccountKey(payment.To, ChartOfAccounts.Lmr));
                break;
            case HoldFunds c:
                keys.Add(new AccountKey(c.Code, c.Asset));
                break;
            case OpenAccount c:
                keys.Add(new AccountKey(c.Code, c.Asset));
                break;
            case FreezeAccount c:
                keys.Add(new AccountKey(c.Code, c.Asset));
                break;
            case UnfreezeAccount c:
                keys.Add(new AccountKey(c.Code, c.Asset));
                break;
            case CloseAccount c:
                keys.Add(new AccountKey(c.Code, c.Asset));
                break;
            case ChangeFloor c:
                keys.Add(new AccountKey(c.Code, c.Asset));
                break;
            case ReleaseHold or ExpireHold or ReverseTransaction:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(request), request.Command.GetType().Name, "unknown command");
        }
    }

    private static void AddPayee(HashSet<AccountKey> keys, LedgerState state, AccountKey payee, bool system, bool changing)
    {
        keys.Add(payee);
        if (system)
            AddSuspense(keys, state, payee, changing || state.Account(payee) is null);
    }

    private static void AddSuspense(HashSet<AccountKey> keys, LedgerState state, AccountKey payee, bool always)
    {
        if (always || state.Account(payee) is { Status: not AccountStatus.Open })
            keys.Add(payee with { Code = ChartOfAccounts.Suspense(payee.Code) });
    }
}
