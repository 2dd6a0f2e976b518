using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>A request that waits for its answer. Its digest is made before it is queued, off the writer's path.</summary>
internal sealed class Pending(LedgerRequest request, RequestDigest digest)
{
    public LedgerRequest Request => request;

    public RequestDigest Digest => digest;

    // Answers run on the pool, never on the writer's loop.
    public TaskCompletionSource<LedgerOutcome> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Fail(Exception fault) => Answer.TrySetException(new LedgerUnavailableException(fault));
}

/// <summary>A batch after its decision.</summary>
/// <param name="Outcomes">The answers, in the batch's order.</param>
/// <param name="Recorded">Whether the answer made an event, in the batch's order.</param>
/// <param name="Accepted">What the journal gets, in order.</param>
/// <param name="Writes">What the tables get.</param>
internal sealed record DecidedBatch(
    IReadOnlyList<LedgerOutcome> Outcomes,
    IReadOnlyList<bool> Recorded,
    IReadOnlyList<(LedgerRequest Request, JournalEvent Event)> Accepted,
    LedgerWrites Writes);

/// <summary>What a batch needs and what follows from it; no I/O.</summary>
internal static class LedgerBatch
{
    /// <summary>Every account that a decision of the batch can look at.</summary>
    public static HashSet<AccountKey> AccountsOf(IReadOnlyList<Pending> batch)
    {
        var keys = new HashSet<AccountKey>();
        foreach (var pending in batch)
            AddAccounts(keys, pending.Request);
        return keys;
    }

    /// <summary>What has to be read, and what the cache gives instead.</summary>
    public static (LedgerNeeds Needs, IReadOnlyList<LedgerAccount> Cached) NeedsOf(
        IReadOnlyList<Pending> batch, HashSet<AccountKey> accounts, AccountCache cache)
    {
        var (missing, cached) = (new List<AccountKey>(), new List<LedgerAccount>());
        foreach (var key in accounts)
        {
            if (!cache.TryGet(key, out var account))
                missing.Add(key);
            else if (account is not null)
                cached.Add(account);
        }

        var outcomes = new HashSet<(string, string)>(batch.Count);
        var streams = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var pending in batch)
        {
            outcomes.Add((pending.Request.Actor.Id, pending.Request.Key));
            if (pending.Request.Companion is { } companion)
                streams.Add(companion.StreamId);
        }

        return (new LedgerNeeds(missing, outcomes, streams), cached);
    }

    /// <summary>Decides the batch in order on <paramref name="state"/>.</summary>
    public static DecidedBatch Decide(LedgerState state, IReadOnlyList<Pending> batch, DateTimeOffset now)
    {
        var (outcomes, recorded) = (new LedgerOutcome[batch.Count], new bool[batch.Count]);
        var accepted = new List<(LedgerRequest, JournalEvent)>(batch.Count);
        var entries = new List<LedgerEntry>(batch.Count * 2);
        var (versionBefore, accountsBefore) = (state.Version, state.AccountCount);
        for (var i = 0; i < batch.Count; i++)
        {
            var step = LedgerDecider.Step(state, batch[i].Request, batch[i].Digest, now);
            outcomes[i] = step.Outcome;
            if (step.Event is null)
                continue;
            recorded[i] = true;
            accepted.Add((batch[i].Request, step.Event));
            entries.AddRange(step.Entries);
        }

        var touched = state.Accounts.Where(account => account.Version > versionBefore).ToLookup(
            account => account.Number > accountsBefore);
        return new DecidedBatch(outcomes, recorded, accepted, new LedgerWrites(
            [.. touched[true].OrderBy(account => account.Number)],
            [.. touched[false].OrderBy(account => account.Number)],
            [.. state.Outcomes.Where(outcome => outcome.JournalVersion > versionBefore)],
            entries));
    }

    private static void AddAccounts(HashSet<AccountKey> keys, LedgerRequest request)
    {
        switch (request.Command)
        {
            case PostTransaction post:
                var system = ChartOfAccounts.IsSystem(request.Actor);
                foreach (var posting in post.Postings)
                {
                    keys.Add(new AccountKey(posting.From, posting.Asset));
                    keys.Add(new AccountKey(posting.To, posting.Asset));
                    if (system)
                        keys.Add(new AccountKey(ChartOfAccounts.Suspense(posting.To), posting.Asset));
                }

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
            default:
                throw new ArgumentOutOfRangeException(nameof(request), request.Command.GetType().Name, "unknown command");
        }
    }
}
