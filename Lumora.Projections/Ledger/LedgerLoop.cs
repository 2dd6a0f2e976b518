using Microsoft.Extensions.Logging;

namespace Lumora.Projections.Ledger;

/// <summary>
/// The writer at work. Two batches are in flight at a time: while the database writes one, this process decides the next
/// one on what the first makes of the rows. The answers of a batch leave only after its commit, and a batch commits only
/// behind the one it was decided on: it takes the fence from where that one leaves it.
/// </summary>
internal sealed partial class LedgerLoop(
    LedgerQueue queue, LedgerCommitter committer, SingleCommits singles, BatchAnswers answers, LedgerOptions options, ILogger logger)
{
    private const int FlightsMax = 2;

    // Few requests are not worth two commits.
    private const int BatchSizeMin = 16;

    private readonly Queue<LedgerFlight> _flights = new(FlightsMax);
    private Task<bool>? _waiting;

    /// <summary>As <see cref="LedgerWriter.RunAsync"/>.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (await WaitAsync(ct))
                await StartAsync(queue.TakeBatch(BatchSize()), ct);
        }
        finally
        {
            queue.Complete();
            await LandAsync(all: true, ct);
            while (queue.TryTake(out var pending))
                pending.Fail(new OperationCanceledException("the ledger writer has stopped"));
        }
    }

    // Until requests wait and one more batch may start; false when no more will come. Batches land meanwhile.
    private async Task<bool> WaitAsync(CancellationToken ct)
    {
        _waiting ??= queue.WaitAsync(ct).AsTask();
        while (_flights.TryPeek(out var first) && (_flights.Count >= FlightsMax || !_waiting.IsCompleted))
        {
            if (_flights.Count < FlightsMax && await Task.WhenAny(first.Landing, _waiting) == _waiting)
                continue;
            await LandAsync(all: false, ct);
            await GiveWayAsync();
        }

        var waiting = _waiting;
        _waiting = null;
        return await waiting;
    }

    // Half of what waits and flies, so that callers spread evenly over both batches.
    private int BatchSize()
    {
        var flying = _flights.Sum(flight => flight.Asked.Count);
        return Math.Clamp((queue.Count + flying + 1) / 2, Math.Min(BatchSizeMin, options.BatchSizeMax), options.BatchSizeMax);
    }

    private async Task StartAsync(List<Pending> batch, CancellationToken ct)
    {
        var asked = LedgerBatch.AskedOf(batch);
        if (committer.CanRunAhead(asked) && !singles.IsOver)
        {
            try
            {
                var before = _flights.LastOrDefault();
                var flight = await committer.DecideAheadAsync(batch, asked, before, ct);
                flight.Landing = FlyAsync(flight, before, ct);
                _flights.Enqueue(flight);
                return;
            }
            catch (Exception fault)
            {
                LogBehind(fault, asked.Count);
            }
        }

        await LandAsync(all: true, ct);
        await singles.CommitAsync(batch, ct);
    }

    // Null, or why it did not arrive; whether it was committed all the same is then unknown.
    private async Task<Exception?> FlyAsync(LedgerFlight flight, LedgerFlight? before, CancellationToken ct)
    {
        try
        {
            await using var transaction = flight.Transaction;
            if (flight.Decided.Events.Count > 0)
                await committer.CommitAsync(flight, before, ct);
            // A replay of what is still on its way is true only once that has arrived.
            else if (before is not null && await before.Landing is { } fault)
                return fault;
            flight.IsCommitted();
            answers.Answer(flight.Batch, flight.Decided, flight.Started);
            return null;
        }
        catch (Exception fault)
        {
            return fault;
        }
        finally
        {
            flight.HasFailed();
        }
    }

    // Takes the first batch out of the air, or all of them. After one that failed nothing is believed any more: the others
    // end first, and those that failed are decided again, one after the other.
    private async Task LandAsync(bool all, CancellationToken ct)
    {
        var failed = new List<(LedgerFlight Flight, Exception Fault)>();
        while (_flights.TryDequeue(out var flight))
        {
            if (await flight.Landing is { } fault)
                failed.Add((flight, fault));
            if (!all && failed.Count == 0)
                break;
        }

        if (failed.Count > 0)
            committer.Forget();
        foreach (var (flight, fault) in failed)
        {
            committer.TakeBack(flight);
            if (ct.IsCancellationRequested)
            {
                answers.Fail(flight.Batch, fault);
                continue;
            }

            // A fence that was lost says it all; any other fault is worth its trace.
            LogBehind(fault is LedgerFenceLostException ? null : fault, flight.Asked.Count);
            await singles.CommitAsync(flight.Batch, ct);
        }
    }

    // Those who were just answered go on first: what they ask next joins the next batch instead of the one after it. Takes no
    // time when nobody is there.
    private static Task GiveWayAsync()
    {
        var turn = new TaskCompletionSource();
        ThreadPool.UnsafeQueueUserWorkItem(static turn => turn.SetResult(), turn, preferLocal: false);
        return turn.Task;
    }

    [LoggerMessage(
        Level = LogLevel.Information, Message = "A batch of {Count} ledger requests did not arrive; deciding it again.")]
    private partial void LogBehind(Exception? fault, int count);
}
