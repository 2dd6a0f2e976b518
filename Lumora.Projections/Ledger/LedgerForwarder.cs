using System.Diagnostics;
using System.Threading.Channels;
using Lumora.Domain.Ledger;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Takes the requests of a host that is not the writer to the one that is, wherever that moves: many to a batch, a few
/// batches at once. Repeating is safe, for a request has one outcome; only time ends it.
/// </summary>
internal sealed class LedgerForwarder(LedgerOptions options) : QueuedLedger, IAsyncDisposable
{
    private readonly Channel<Waiting> _queue = Channel.CreateUnbounded<Waiting>();
    private readonly CancellationTokenSource _giveUp = new();
    private Task _running = Task.CompletedTask;
    private int _waiting;

    /// <summary>True while somebody waits for an answer.</summary>
    public bool HasWaiting => Volatile.Read(ref _waiting) > 0;

    /// <summary>Starts to serve the queue.</summary>
    public void Start(LedgerLeadership leadership, LedgerSender sender) => _running = Task.WhenAll(
        Enumerable.Range(0, options.ForwardsMax).Select(_ => Task.Run(() => RunAsync(leadership, sender, _giveUp.Token))));

    /// <summary>Takes over what a writer of this host may not decide any more.</summary>
    public void TakeBack(Pending pending)
    {
        try
        {
            // Not "busy", which promises that nothing was decided.
            if (!Takes(pending, mayBeDecided: true))
                pending.Fail(new InvalidOperationException("This host is the writer no longer, and too many wait for the next one."));
        }
        catch (Exception fault) when (fault is NotSupportedException or InvalidOperationException or KeyNotFoundException)
        {
            // What cannot travel. It costs only itself.
            pending.Fail(fault);
        }
    }

    /// <summary>Takes no more; ends when everybody who waits has an answer.</summary>
    public Task CompleteAsync()
    {
        _queue.Writer.TryComplete();
        return _running;
    }

    /// <summary>Tells everybody who still waits that the outcome is unknown.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _giveUp.CancelAsync();
        await _running;
        while (_queue.Reader.TryRead(out var waiting))
            Fail(waiting, new OperationCanceledException("the host stops"));
        _giveUp.Dispose();
    }

    private protected override LedgerOutcome Busy(int requests) => new LedgerOutcome.Busy(options.RetryAfter);

    internal override bool Takes(Pending pending) => Takes(pending, mayBeDecided: false);

    private bool Takes(Pending pending, bool mayBeDecided)
    {
        var line = LedgerWire.Encode(pending.Asked.Select(asked => asked.Request));
        if (line.Length >= options.ForwardBytesMax)
        {
            pending.Fail(new InvalidOperationException("The request is too large to be forwarded."));
            return true;
        }

        var until = Stopwatch.GetTimestamp() + (long)(options.ForwardTimeLimit.TotalSeconds * Stopwatch.Frequency);
        if (Interlocked.Add(ref _waiting, pending.Asked.Count) <= options.QueueLengthMax
            && _queue.Writer.TryWrite(new Waiting(pending, line, until) { MayBeDecided = mayBeDecided }))
            return true;
        Interlocked.Add(ref _waiting, -pending.Asked.Count);
        return false;
    }

    private async Task RunAsync(LedgerLeadership leadership, LedgerSender sender, CancellationToken ct)
    {
        Waiting? first = null;
        try
        {
            while (first is not null || await _queue.Reader.WaitToReadAsync(ct))
            {
                (var batch, first) = TakeBatch(first);
                await DeliverAsync(batch, leadership, sender, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            if (first is not null)
                Fail(first, new OperationCanceledException("the host stops"));
        }
    }

    // What a body has room for, and what comes first in the next one.
    private (List<Waiting> Batch, Waiting? Next) TakeBatch(Waiting? next)
    {
        var (batch, size) = (new List<Waiting>(), 0);
        while (batch.Count < options.ForwardBatchMax && (next is not null || _queue.Reader.TryRead(out next)))
        {
            if (size + next.Line.Length >= options.ForwardBytesMax)
                return (batch, next);
            size += next.Line.Length + 1;
            batch.Add(next);
            next = null;
        }

        return (batch, null);
    }

    private async Task DeliverAsync(
        List<Waiting> batch, LedgerLeadership leadership, LedgerSender sender, CancellationToken ct)
    {
        try
        {
            while (DropLate(batch) > 0)
            {
                var isHeard = true;
                if (leadership.LiveWriter is { } writer)
                    batch.ForEach(waiting => Pass(waiting, writer));
                else
                    isHeard = leadership.Seen is { Address: { } address } lease && !leadership.IsOwn(lease)
                        && await IsAnsweredAsync(batch, sender, lease, address, leadership.DatabaseNow, ct);
                if (DropLate(batch) == 0)
                    return;
                // The others look for the next writer, or wait until this one has room.
                await (isHeard ? Task.Delay(options.RetryAfter, ct) : leadership.LookAgainAsync())
                    .WaitAsync(LeftOf(batch), ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                ct.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException stopped) when (ct.IsCancellationRequested)
        {
            batch.FindAll(waiting => !waiting.HasLeft).ForEach(waiting => Fail(waiting, stopped));
            throw;
        }
    }

    // Each call's time is its own: who has none left hears it at once, the others go on waiting for the same answer.
    private async Task<bool> IsAnsweredAsync(
        List<Waiting> batch, LedgerSender sender, SeenLease lease, string address, DateTimeOffset? now, CancellationToken ct)
    {
        var calls = batch.ConvertAll(waiting => (Waiting: waiting, waiting.MayBeDecided));
        batch.ForEach(waiting => waiting.MayBeDecided = true);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var sending = sender.SendAsync([.. batch], lease, address, now, end.Token);
        while (!sending.IsCompleted && DropLate(batch) > 0)
            await ((Task)sending).WaitAsync(LeftOf(batch), CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await end.CancelAsync();
        if (await sending is not { } answers)
            return false;
        for (var i = 0; i < calls.Count; i++)
        {
            if (!calls[i].Waiting.HasLeft)
                Answer(calls[i].Waiting, answers[i], calls[i].MayBeDecided);
        }

        return true;
    }

    // A millisecond more than the first of them has: then its time is up.
    private static TimeSpan LeftOf(List<Waiting> batch) => batch.Min(waiting => waiting.Left) + TimeSpan.FromMilliseconds(1);

    private int DropLate(List<Waiting> batch)
    {
        foreach (var waiting in batch)
        {
            if (!waiting.HasLeft && waiting.Left == TimeSpan.Zero)
                Fail(waiting, new TimeoutException("No host answered as the writer of the ledger."));
        }

        batch.RemoveAll(waiting => waiting.HasLeft);
        return batch.Count;
    }

    // What may be decided already is never "busy", which promises that nothing was: it waits for room.
    private void Pass(Waiting waiting, LedgerWriter writer)
    {
        if (writer.Takes(waiting.Pending))
            Leave(waiting);
        else if (!waiting.MayBeDecided)
            Answer(waiting, [.. Enumerable.Repeat(Busy(1), waiting.Pending.Asked.Count)], mayBeDecided: false);
    }

    private void Answer(Waiting waiting, IReadOnlyList<LedgerOutcome>? outcomes, bool mayBeDecided)
    {
        if (outcomes is null || outcomes.Count != waiting.Pending.Asked.Count)
        {
            Fail(waiting, new InvalidOperationException("The writer's host could not commit it."));
            return;
        }

        if (mayBeDecided && outcomes.Any(outcome => outcome is LedgerOutcome.Busy))
            return;
        Leave(waiting);
        waiting.Pending.Answer([.. outcomes]);
    }

    private void Fail(Waiting waiting, Exception fault)
    {
        Leave(waiting);
        waiting.Pending.Fail(fault);
    }

    private void Leave(Waiting waiting)
    {
        waiting.HasLeft = true;
        Interlocked.Add(ref _waiting, -waiting.Pending.Asked.Count);
    }
}

/// <summary>A call on its way to the writer.</summary>
/// <param name="Pending">What is asked, and who waits.</param>
/// <param name="Line">As it travels.</param>
/// <param name="Until">On the monotonic clock: then its outcome is called unknown.</param>
internal sealed record Waiting(Pending Pending, byte[] Line, long Until)
{
    /// <summary>True once a writer may have had it: from then on nobody can say that nothing was decided.</summary>
    public bool MayBeDecided { get; set; }

    /// <summary>True once it waits here no longer.</summary>
    public bool HasLeft { get; set; }

    /// <summary>Until its time is up; never negative.</summary>
    public TimeSpan Left
    {
        get
        {
            var now = Stopwatch.GetTimestamp();
            return now >= Until ? TimeSpan.Zero : Stopwatch.GetElapsedTime(now, Until);
        }
    }
}
