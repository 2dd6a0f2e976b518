using Lumora.Api.GraphQL;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Api.Ledger;

/// <summary>Asks the ledger for people: what they may ask, for real or as a trial, and the answer in words of the API.</summary>
public sealed class LedgerCalls(ILedgers ledgers, LedgerDryRun trials)
{
    private const ShardRole Role = ShardRole.Global;

    /// <summary>Asks with <paramref name="actor"/>'s own money.</summary>
    public Task<LedgerPayload> AskAsync(Actor actor, string key, LedgerCommand command, bool dryRun, CancellationToken ct)
    {
        var request = new LedgerRequest(actor, key, command);
        return Fault(request) is { } fault
            ? Task.FromResult(LedgerPayload.Refused(fault))
            : AskAsync(request, dryRun, ct);
    }

    /// <summary>Asks whatever the ledger itself lets the actor ask.</summary>
    public async Task<LedgerPayload> AskAsync(LedgerRequest request, bool dryRun, CancellationToken ct)
    {
        try
        {
            return LedgerPayload.Of(dryRun ? await TryAsync(request, ct) : await ledgers.For(Role).SubmitAsync(request, ct), dryRun);
        }
        catch (LedgerUnavailableException)
        {
            return LedgerPayload.Unknown;
        }
    }

    /// <summary>Asks for each of <paramref name="requests"/>, all with their actors' own money.</summary>
    public async Task<IReadOnlyList<LedgerPayload>> AskAllAsync(
        IReadOnlyList<LedgerRequest> requests, BulkMode mode, bool dryRun, CancellationToken ct)
    {
        var answers = requests.Select(request => Fault(request) is { } fault ? LedgerPayload.Refused(fault) : null).ToArray();
        var sound = requests.Where((_, i) => answers[i] is null).ToList();
        if (mode == BulkMode.AllOrNothing && sound.Count < requests.Count)
            return [.. answers.Select(answer => answer ?? LedgerPayload.Refused(LedgerCodes.Reject(LedgerCodes.BulkRefused)))];
        var next = 0;
        if (mode == BulkMode.Independent && !dryRun)
        {
            // Each for itself, also where the outcome of one is unknown.
            var alone = await Task.WhenAll(sound.Select(request => AskAsync(request, dryRun: false, ct)));
            return [.. answers.Select(answer => answer ?? alone[next++])];
        }

        try
        {
            var outcomes = dryRun
                ? await trials.TryAsync(Role, sound, mode, ct)
                : await ledgers.For(Role).SubmitAsync(sound, mode, ct);
            return [.. answers.Select(answer => answer ?? LedgerPayload.Of(outcomes[next++], dryRun))];
        }
        catch (LedgerUnavailableException)
        {
            return [.. answers.Select(answer => answer ?? LedgerPayload.Unknown)];
        }
    }

    private async Task<LedgerOutcome> TryAsync(LedgerRequest request, CancellationToken ct) =>
        (await trials.TryAsync(Role, [request], BulkMode.Independent, ct))[0];

    // The shape first: what is no account at all is not somebody else's.
    private static Rejection? Fault(LedgerRequest request) =>
        LedgerShape.Check(request) ?? OwnMoney.Refuse(request.Actor, request.Command);
}
