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
    /// <summary>Decides <paramref name="request"/> on <paramref name="state"/> and changes nothing.</summary>
    public static LedgerDecision Decide(LedgerState state, LedgerRequest request, RequestDigest digest)
    {
        if (state.Outcome(request.Actor.Id, request.Key) is { } recorded)
            return new LedgerDecision(null, Repeat(recorded, request, digest));
        if (request.Companion is { } companion
            && state.StreamVersion(companion.StreamId) != (companion.ExpectedVersion ?? 0))
            return new LedgerDecision(null, new LedgerOutcome.Refused(
                LedgerCodes.Reject(LedgerCodes.CompanionConflict, "companion"), Replayed: false));
        var (accepted, code, field) = DecideCommand(state, request);
        return new LedgerDecision(
            accepted ?? new TransactionRejected(request.Key, digest.ToString(), code!, field), null);
    }

    /// <summary>
    /// Decides <paramref name="request"/>, applies what follows, and returns the decision with its answer, the
    /// journal event and the entries.
    /// </summary>
    /// <param name="state">Advanced by this call.</param>
    /// <param name="request">Passed <see cref="LedgerShape"/>.</param>
    /// <param name="digest">Of the request's command.</param>
    /// <param name="now">Truncated to microseconds; the ledger's time never falls even when this does.</param>
    public static LedgerStep Step(
        LedgerState state, LedgerRequest request, RequestDigest digest, DateTimeOffset now)
    {
        var decision = Decide(state, request, digest);
        if (decision.Event is null)
            return new LedgerStep(decision.Outcome!, null, []);
        var at = now > state.At ? now : state.At;
        var next = new JournalEvent(state.Version + 1, request.Actor.Id, at, decision.Event);
        var entries = state.Apply(next, digest);
        if (decision.Event is not TransactionRejected && request.Companion is { } companion)
            state.AdvanceStream(companion.StreamId, companion.Events.Count);
        var outcome = state.Outcome(request.Actor.Id, request.Key)!.ToOutcome(replayed: false);
        return new LedgerStep(outcome, next, entries);
    }

    private static LedgerOutcome Repeat(RecordedOutcome recorded, LedgerRequest request, RequestDigest digest) =>
        recorded.Digest.Equals(digest)
            ? recorded.ToOutcome(replayed: true)
            : new LedgerOutcome.Refused(
                LedgerCodes.Reject(
                    LedgerCodes.IdempotencyConflict, recorded.Digest.FirstDifference(request.Command)),
                Replayed: false);

    private static Ruling DecideCommand(LedgerState state, LedgerRequest request) => request.Command switch
    {
        PostTransaction post => TransactionDecider.Decide(state, request, post),
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
