using JasperFx;
using Lumora.Api.EventStore;
using Lumora.Api.GraphQL;
using Lumora.Api.Ledger;
using Lumora.Domain.Governance;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Governance;
using Lumora.Projections.Ledger;
using Lumora.Projections.Participants;
using Marten;
using Marten.Exceptions;
using Npgsql;

namespace Lumora.Api.Governance;

/// <summary>
/// Acts of power: at once while there is one steward, by a second approval from the second steward on. The grant is a companion of
/// the act, so both are one transaction of the ledger, under the requester's key: whatever is repeated or killed, it is done once.
/// </summary>
public sealed class Approvals(
    ShardSessions sessions, ILedgers ledgers, LedgerCalls calls, LedgerQueries outcomes, ApprovalQueries approvals,
    ParticipantDirectory participants, TimeProvider clock)
{
    /// <summary>Requests that wait at a time, of all stewards together.</summary>
    public const int PendingMax = 1_000;

    private const ShardRole Role = ShardRole.Global;
    private const int AttemptsMax = 8;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>
    /// Does what a steward asks for, or asks a second one. The same request again answers the same outcome or approval. Codes beside
    /// the ledger's: <see cref="ApprovalCodes"/>.
    /// </summary>
    /// <param name="request">The steward's, without a companion.</param>
    /// <param name="dryRun">Only say what the ledger would answer now.</param>
    /// <param name="ct">Stops the wait.</param>
    public async Task<LedgerPayload> AskAsync(LedgerRequest request, bool dryRun, CancellationToken ct)
    {
        // What is malformed has not happened: the ledger says what is wrong with it.
        if (dryRun || LedgerShape.Check(request) is not null)
            return await calls.AskAsync(request, dryRun, ct);
        var approvalId = Approval.IdOf(request.Actor.Id, request.Key);
        var earlier = await approvals.FindAsync(approvalId, ct);
        if (await outcomes.OutcomeAsync(Role, request.Actor.Id, request.Key, ct) is not null)
            return await calls.AskAsync(request, dryRun: false, ct) with { Approval = Info(earlier) };

        var requester = await participants.ActorAsync(request.Actor.Id, ct);
        if (earlier is null)
        {
            if (!requester.Has(Roles.Steward))
                return Refused(ApprovalCodes.Reject(ApprovalCodes.Forbidden));
            if (!await participants.HasOtherStewardAsync(requester.Id, ct))
                return await calls.AskAsync(request, dryRun: false, ct);
            if (await approvals.CountPendingAsync(PendingMax, clock.Now(), ct) >= PendingMax)
                return Refused(ApprovalCodes.Reject(ApprovalCodes.TooMany));
        }

        var asked = await ChangeAsync(
            approvalId, requester,
            state => ApprovalDecider.Request(state, requester, request.Key, request.Command, clock.Now()), ct);
        return asked.Value is { } approval ? await AnswerAsync(approval, ct) : Refused(asked.Rejection!);
    }

    /// <summary>
    /// Approves as <paramref name="steward"/>, and does what was asked for. Again, or after another steward: the same answer.
    /// </summary>
    public async Task<LedgerPayload> ApproveAsync(string steward, string approvalId, CancellationToken ct)
    {
        var second = await participants.ActorAsync(steward, ct);
        for (var attempt = 1; attempt <= AttemptsMax; attempt++)
        {
            var (state, version) = await ReadAsync(approvalId, second, ct);
            var requester = state is null ? second : await participants.ActorAsync(state.RequestedBy, ct);
            var decision = ApprovalDecider.Grant(state, second, requester, clock.Now());
            if (decision is Decision.Rejected rejected)
                return Refused(rejected.Reason, second.Has(Roles.Steward) ? state : null);
            if (((Decision.Accepted)decision).Events is not [ApprovalGranted granted])
                return await AnswerAsync(state!, ct);
            var request = new LedgerRequest(
                requester, state!.Key, state.Action.ToCommand(),
                new CompanionEvents(state.Id, typeof(Approval), version, [granted]));
            if (await DoAsync(request, state, granted, second, ct) is { } payload)
                return payload;
            await Task.Delay(attempt * Pause, clock, ct);
        }

        return LedgerPayload.Of(new LedgerOutcome.Busy(AttemptsMax * Pause), dryRun: false);
    }

    /// <summary>Declines as <paramref name="steward"/>, or withdraws their own; the first reason stands.</summary>
    public async Task<Result<Approval>> DeclineAsync(string steward, string approvalId, string reason, CancellationToken ct)
    {
        var actor = await participants.ActorAsync(steward, ct);
        return await ChangeAsync(
            approvalId, actor, state => ApprovalDecider.Decline(state, actor, reason, clock.Now()), ct);
    }

    /// <summary>What clients see of <paramref name="approval"/> now.</summary>
    internal ApprovalInfo? Info(Approval? approval) => approval is null ? null : ApprovalInfo.Of(approval, clock.Now());

    // Null: the stream moved, or somebody was writing it; nothing was decided.
    private async Task<LedgerPayload?> DoAsync(
        LedgerRequest request, Approval state, ApprovalGranted granted, Actor second, CancellationToken ct)
    {
        LedgerOutcome outcome;
        try
        {
            outcome = await ledgers.For(Role).SubmitAsync(request, ct);
        }
        catch (LedgerUnavailableException)
        {
            return LedgerPayload.Unknown with { Approval = Info(state) };
        }

        switch (outcome)
        {
            case LedgerOutcome.Posted { Replayed: false }:
                return LedgerPayload.Of(outcome, dryRun: false) with { Approval = Info(Approval.Evolve(state, granted)) };
            case LedgerOutcome.Posted:
                // Another approval of this moment did it, or the requester alone before there was a second steward.
                return await EndAsync(
                    state, second, known => ApprovalDecider.Grant(known, second, request.Actor, clock.Now()), ct);
            case LedgerOutcome.Refused { Rejection.Code: LedgerCodes.CompanionConflict }:
                return null;
            case LedgerOutcome.Refused refused:
                return await EndAsync(
                    state, second, known => ApprovalDecider.Fail(known, second, refused.Rejection, clock.Now()), ct);
            default:
                return LedgerPayload.Of(outcome, dryRun: false) with { Approval = Info(state) };
        }
    }

    private async Task<LedgerPayload> EndAsync(
        Approval before, Actor second, Func<Approval?, Decision> decide, CancellationToken ct)
    {
        var ended = await ChangeAsync(before.ApprovalId, second, decide, ct);
        return ended.Value is { } approval ? await AnswerAsync(approval, ct) : Refused(ended.Rejection!, before);
    }

    /// <summary>What whoever asks again is told: an outcome where it is done, else why it is not.</summary>
    private async Task<LedgerPayload> AnswerAsync(Approval approval, CancellationToken ct) => approval.StateAt(clock.Now()) switch
    {
        ApprovalState.Granted => await ReplayAsync(approval, ct),
        ApprovalState.Failed => Refused(LedgerCodes.Reject(approval.FailureCode!, approval.FailureField), approval),
        ApprovalState.Declined => Refused(ApprovalCodes.Reject(ApprovalCodes.Declined), approval),
        ApprovalState.Expired => Refused(ApprovalCodes.Reject(ApprovalCodes.Expired), approval),
        _ => Refused(ApprovalCodes.Reject(ApprovalCodes.Pending), approval),
    };

    private async Task<LedgerPayload> ReplayAsync(Approval approval, CancellationToken ct)
    {
        var outcome = await outcomes.OutcomeAsync(Role, approval.RequestedBy, approval.Key, ct);
        Check.That(outcome is not null, "a grant is committed with its effect");
        return LedgerPayload.Of(outcome.ToOutcome(approval.Key, replayed: true), dryRun: false) with
        {
            Approval = Info(approval),
        };
    }

    private LedgerPayload Refused(Rejection rejection, Approval? approval = null) =>
        LedgerPayload.Refused(rejection) with { Approval = Info(approval) };

    private async Task<(Approval? State, long Version)> ReadAsync(string approvalId, Actor actor, CancellationToken ct)
    {
        if (!TypeId.IsValid(Approval.IdPrefix, approvalId))
            return (null, 0);
        await using var session = sessions.Open(Role, actor);
        var stream = await session.Events.FetchForWriting<Approval>(Approval.StreamOf(approvalId), ct);
        return (stream.Aggregate, stream.CurrentVersion ?? 0);
    }

    /// <summary>Decides on the state of now and stores what follows; who loses a race decides again.</summary>
    private async Task<Result<Approval>> ChangeAsync(
        string approvalId, Actor actor, Func<Approval?, Decision> decide, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ChangeOnceAsync(approvalId, actor, decide, ct);
            }
            catch (Exception fault) when (attempt < AttemptsMax && IsRace(fault))
            {
                await Task.Delay(attempt * Pause, clock, ct);
            }
        }
    }

    private async Task<Result<Approval>> ChangeOnceAsync(
        string approvalId, Actor actor, Func<Approval?, Decision> decide, CancellationToken ct)
    {
        if (!TypeId.IsValid(Approval.IdPrefix, approvalId))
            return ((Decision.Rejected)decide(null)).Reason;
        await using var session = sessions.Open(Role, actor);
        var stream = await session.Events.FetchForWriting<Approval>(Approval.StreamOf(approvalId), ct);
        var decision = decide(stream.Aggregate);
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        var after = ((Decision.Accepted)decision).Events.Aggregate(stream.Aggregate, Approval.Evolve)!;
        await session.CommitAsync(stream, decision, ct);
        return after;
    }

    private static bool IsRace(Exception? fault) => fault is not null
        && (fault is ConcurrencyException or ExistingStreamIdCollisionException
            or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } || IsRace(fault.InnerException));
}
