using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>
/// What waits for the writer and is decided together: one request, or the requests of an all-or-nothing call. Digests
/// are made before it is queued, off the writer's path.
/// </summary>
internal abstract class Pending(IReadOnlyList<PreparedRequest> asked)
{
    /// <summary>The requests, in order.</summary>
    public IReadOnlyList<PreparedRequest> Asked => asked;

    /// <summary>Answers with an outcome for each request. Answers run on the pool, never on the writer's loop.</summary>
    public abstract void Answer(ReadOnlySpan<LedgerOutcome> outcomes);

    /// <summary>Says that the outcome is unknown because of <paramref name="fault"/>.</summary>
    public abstract void Fail(Exception fault);
}

/// <summary>One request.</summary>
internal sealed class PendingRequest(PreparedRequest asked) : Pending([asked])
{
    private readonly TaskCompletionSource<LedgerOutcome> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<LedgerOutcome> Outcome => _answer.Task;

    public override void Answer(ReadOnlySpan<LedgerOutcome> outcomes) => _answer.TrySetResult(outcomes[0]);

    public override void Fail(Exception fault) => _answer.TrySetException(new LedgerUnavailableException(fault));
}

/// <summary>Requests that take effect all together or not at all.</summary>
internal sealed class PendingGroup(IReadOnlyList<PreparedRequest> asked) : Pending(asked)
{
    private readonly TaskCompletionSource<IReadOnlyList<LedgerOutcome>> _answer =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<IReadOnlyList<LedgerOutcome>> Outcomes => _answer.Task;

    public override void Answer(ReadOnlySpan<LedgerOutcome> outcomes) => _answer.TrySetResult(outcomes.ToArray());

    public override void Fail(Exception fault) => _answer.TrySetException(new LedgerUnavailableException(fault));
}
