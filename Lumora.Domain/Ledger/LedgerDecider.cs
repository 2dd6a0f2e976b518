using System.Runtime.InteropServices;
using Lumora.Domain.Kernel;

namespace Lumora.Domain.Ledger;

/// <summary>What the ledger decided about one request.</summary>
/// <param name="Event">To append to the journal; null when nothing is recorded (a replay or a conflict).</param>
/// <param name="Outcome">The answer when there is no event; null = the answer follows from the recorded event.</param>
public readonly record struct LedgerDecision(object? Event, LedgerOutcome? Outcome);

/// <summary>
/// Decides requests that passed <see cref="LedgerShape"/>, one after the other, each on the state that the ones
/// before it left.
/// </summary>
public static class LedgerDecider
{
    /// <summary>Decides <paramref name="asked"/> on <paramref name="state"/> at <paramref name="at"/> and changes nothing.</summary>
    public static LedgerDecision Decide(LedgerState state, PreparedRequest asked, DateTimeOffset at)
    {
        var request = asked.Request;
        if (state.Outcome(asked.Id) is { } recorded)
            return new LedgerDecision(null, Repeat(recorded, asked));
        if (request.Companion is { } companion
            && state.StreamVersion(companion.StreamId) != (companion.ExpectedVersion ?? 0))
            return new LedgerDecision(null, Refused(LedgerCodes.CompanionConflict, "companion"));
        var (accepted, code, field) = DecideCommand(state, request, at);
        if (accepted is null && LedgerCodes.IsPassing(code!))
            return new LedgerDecision(null, Refused(code!, field));
        return new LedgerDecision(
            accepted ?? new TransactionRejected(request.Key, asked.Digest.ToString(), code!, field), null);
    }

    /// <summary>
    /// Decides <paramref name="asked"/>, applies what follows, and returns the decision with its answer, the
    /// journal event and the entries.
    /// </summary>
    /// <param name="state">Advanced by this call.</param>
    /// <param name="asked">Passed <see cref="LedgerShape"/>.</param>
    /// <param name="now">Truncated to microseconds; the ledger's time never falls even when this does.</param>
    /// <param name="waitOf">
    /// Asked before a refusal is recorded: how long the actor has to wait instead, with nothing decided; null = record it.
    /// </param>
    public static LedgerStep Step(
        LedgerState state, PreparedRequest asked, DateTimeOffset now, Func<Actor, TimeSpan?>? waitOf = null)
    {
        var request = asked.Request;
        var at = now > state.At ? now : state.At;
        var decision = Decide(state, asked, at);
        if (decision.Event is null)
            return new LedgerStep(decision.Outcome!, null, []);
        if (decision.Event is TransactionRejected && waitOf?.Invoke(request.Actor) is { } wait)
            return new LedgerStep(new LedgerOutcome.Busy(wait), null, []);
        var next = new JournalEvent(state.Version + 1, request.Actor.Id, at, decision.Event);
        var entries = state.Apply(next, asked.Id, asked.Digest);
        if (decision.Event is not TransactionRejected && request.Companion is { } companion)
            state.AdvanceStream(companion.StreamId, companion.Events.Count);
        var outcome = state.Outcome(asked.Id)!.ToOutcome(request.Key, replayed: false);
        return new LedgerStep(outcome, next, entries);
    }

    /// <summary>
    /// Decides all of <paramref name="asked"/> or none. When one is refused, nothing of the others happens or is recorded;
    /// a refusal that depends on the state is recorded for that one alone, so that the same call gets the same answer again,
    /// whatever the others would meet by then, and the others may be asked anew.
    /// </summary>
    /// <param name="state">Advanced by this call.</param>
    /// <param name="asked">In order; each passed <see cref="LedgerShape"/>.</param>
    /// <param name="now">See <see cref="Step"/>.</param>
    /// <param name="waitOf">See <see cref="Step"/>; all of them wait then.</param>
    /// <returns>A step for each request.</returns>
    public static IReadOnlyList<LedgerStep> StepAll(
        LedgerState state, IReadOnlyList<PreparedRequest> asked, DateTimeOffset now, Func<Actor, TimeSpan?>? waitOf = null)
    {
        if (RefusedBefore(state, asked) is { } before)
            return Only(asked.Count, before, new LedgerStep(Repeat(state.Outcome(asked[before].Id)!, asked[before]), null, []));
        var steps = new LedgerStep[asked.Count];
        var refused = -1;
        var all = state.Try(() =>
        {
            for (var i = 0; i < asked.Count; i++)
            {
                steps[i] = Step(state, asked[i], now, waitOf);
                if (steps[i].Outcome is LedgerOutcome.Posted)
                    continue;
                refused = i;
                return false;
            }

            return true;
        });
        if (all)
            return steps;

        var culprit = steps[refused];
        return Only(asked.Count, refused, culprit.Event is null ? culprit : Record(state, asked[refused], culprit));
    }

    // The request that refuses the call by what is recorded under its key; null = none does. Of several the one that stands
    // first in the journal: when this call was refused before, no later one was there yet, so it is refused for that again.
    private static int? RefusedBefore(LedgerState state, IReadOnlyList<PreparedRequest> asked)
    {
        int? first = null;
        var version = long.MaxValue;
        for (var i = 0; i < asked.Count; i++)
        {
            if (state.Outcome(asked[i].Id) is not { } recorded || recorded.JournalVersion >= version
                || (recorded.Code is null && recorded.Digest.Equals(asked[i].Digest)))
                continue;
            (first, version) = (i, recorded.JournalVersion);
        }

        return first;
    }

    // All of them wait where one has to.
    private static LedgerStep[] Only(int count, int index, LedgerStep culprit)
    {
        var steps = new LedgerStep[count];
        var others = culprit.Outcome is LedgerOutcome.Busy ? culprit.Outcome : Refused(LedgerCodes.BulkRefused, null);
        Array.Fill(steps, new LedgerStep(others, null, []));
        steps[index] = culprit;
        return steps;
    }

    // The refusal stood behind the group's other requests; alone it is the next event of the journal.
    private static LedgerStep Record(LedgerState state, PreparedRequest asked, LedgerStep refused)
    {
        var next = refused.Event! with { Version = state.Version + 1 };
        state.Apply(next, asked.Id, asked.Digest);
        return new LedgerStep(state.Outcome(asked.Id)!.ToOutcome(asked.Request.Key, replayed: false), next, []);
    }

    private static LedgerOutcome Repeat(RecordedOutcome recorded, PreparedRequest asked) =>
        recorded.Digest.Equals(asked.Digest)
            ? recorded.ToOutcome(asked.Request.Key, replayed: true)
            : Refused(LedgerCodes.IdempotencyConflict, recorded.Digest.FirstDifference(asked.Request.Command));

    private static LedgerOutcome.Refused Refused(string code, string? field) =>
        new(LedgerCodes.Reject(code, field), Replayed: false);

    private static Ruling DecideCommand(LedgerState state, LedgerRequest request, DateTimeOffset at) => request.Command switch
    {
        PostTransaction post => DecidePost(state, request, post),
        HoldFunds c => HoldDecider.Decide(state, request, c, at),
        CaptureHold c => HoldDecider.Decide(state, request, c, at),
        ReleaseHold c => HoldDecider.Decide(state, request, c),
        ExpireHold c => HoldDecider.Decide(state, request, c, at),
        ReverseTransaction c => ReversalDecider.Decide(state, request, c),
        OpenAccount open => DecideOpen(state, request.Key, open),
        FreezeAccount c => OnAccount(state, c.Code, c.Asset, account => account.Status == AccountStatus.Frozen
            ? Ruling.Refuse(LedgerCodes.AccountFrozen, "code")
            : Ruling.Accept(new AccountFrozen(request.Key, c.Code, c.Asset, c.Reason))),
        UnfreezeAccount c => OnAccount(state, c.Code, c.Asset, account => account.Status != AccountStatus.Frozen
            ? Ruling.Refuse(LedgerCodes.AccountNotFrozen, "code")
            : Ruling.Accept(new AccountUnfrozen(request.Key, c.Code, c.Asset, c.Reason))),
        CloseAccount c => OnAccount(state, c.Code, c.Asset, account => account is not { Balance: 0, Held: 0 }
            ? Ruling.Refuse(LedgerCodes.AccountNotEmpty, "code")
            : Ruling.Accept(new AccountClosed(request.Key, c.Code, c.Asset, c.Reason))),
        ChangeFloor c => OnAccount(state, c.Code, c.Asset, account => !(account with { Floor = c.Floor }).RespectsFloor
            ? Ruling.Refuse(LedgerCodes.InsufficientFunds, "floor")
            : Ruling.Accept(new FloorChanged(request.Key, c.Code, c.Asset, c.Floor, c.Reason))),
        _ => throw new InvariantViolationException("a command without a decision"),
    };

    private static Ruling DecidePost(LedgerState state, LedgerRequest request, PostTransaction post) =>
        PostingPlan.Refuse(
            state, ChartOfAccounts.IsSystem(request.Actor), post.Postings, "postings", unheld: null, out var plan)
        ?? Ruling.Accept(new TransactionPosted(
            request.Key, post.Kind, post.Postings, post.Reference,
            post.Metadata is { Count: > 0 } metadata ? metadata : null, plan.Opened, plan.ToSuspense));

    private static Ruling DecideOpen(LedgerState state, string id, OpenAccount open) =>
        state.Account(new AccountKey(open.Code, open.Asset)) is not null
            ? Ruling.Refuse(LedgerCodes.AccountExists, "code")
            : Ruling.Accept(new AccountOpened(id, open.Code, open.Asset, ChartOfAccounts.RuleOf(open.Code)!.Floor));

    // A closed account is never opened, frozen or changed again.
    private static Ruling OnAccount(LedgerState state, string code, string asset, Func<LedgerAccount, Ruling> decide) =>
        state.Account(new AccountKey(code, asset)) switch
        {
            null => Ruling.Refuse(LedgerCodes.UnknownAccount, "code"),
            { Status: AccountStatus.Closed } => Ruling.Refuse(LedgerCodes.AccountClosed, "code"),
            var account => decide(account),
        };
}

/// <summary>A decided and applied request.</summary>
/// <param name="Outcome">The answer, to be given once the event is durable.</param>
/// <param name="Event">To append; null when nothing is recorded.</param>
/// <param name="Entries">What the event writes into statements.</param>
public readonly record struct LedgerStep(
    LedgerOutcome Outcome, JournalEvent? Event, IReadOnlyList<LedgerEntry> Entries);

/// <summary>An accepted event, or the code and field of a refusal.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Ruling(object? Accepted, string? Code, string? Field)
{
    public static Ruling Accept(object @event) => new(@event, null, null);

    public static Ruling Refuse(string code, string? field) => new(null, code, field);
}
