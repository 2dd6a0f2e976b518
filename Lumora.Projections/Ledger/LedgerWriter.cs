using System.Diagnostics;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>
/// The one writer of a shard's journal: group commit as in TigerBeetle and the LMAX disruptor, on PostgreSQL. It takes
/// what waits, decides it in order on a pure <see cref="LedgerState"/>, commits events and rows in one transaction and
/// answers. Correctness rests on the fence row alone, so two hosts may run one each: the slower one loses its turn,
/// never money.
/// </summary>
public sealed partial class LedgerWriter : ILedger
{
    // Two batches at a time: while the database writes one, this process decides the next one.
    private const int FlightsMax = 2;
    private const int BatchSizeMin = 16;

    private readonly LedgerQueue _queue;
    private readonly LedgerOptions _options;
    private readonly string _shard;
    private readonly NpgsqlDataSource _source;
    private readonly LedgerCommitter _committer;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly LedgerMetrics.OfWriter? _metrics;
    private readonly RefusalLimiter _refusals;
    private readonly Queue<LedgerFlight> _flights = new(FlightsMax);
    private Task<bool>? _waiting;

    /// <summary>Whether this writer may start another batch, and who takes what it may not; null = until it is stopped.</summary>
    internal LedgerTerm? Term { get; init; }

    /// <summary>A writer for the shard of <paramref name="role"/>; it takes requests at once and works when run.</summary>
    public LedgerWriter(
        ShardSessions sessions, ShardRole role, LedgerOptions options, TimeProvider clock, ILogger<LedgerWriter> logger,
        ILedgerProbe? probe = null, LedgerMetrics? metrics = null)
    {
        (_options, _clock, _logger) = (options, clock, logger);
        _shard = sessions.ShardOf(role);
        _source = sessions.WriterSource(role);
        _committer = new LedgerCommitter(
            _shard, _source, new LedgerCompanions(sessions, role), new AccountCache(options.CachedAccountsMax), clock, probe);
        _refusals = new RefusalLimiter(options.RefusalsPerMinuteMax, clock);
        _queue = new LedgerQueue(options.QueueLengthMax);
        _metrics = metrics?.For(_shard, () => _queue.Count);
    }

    /// <inheritdoc/>
    public Task<LedgerOutcome> SubmitAsync(LedgerRequest request, CancellationToken ct)
    {
        if (Hindrance(request) is { } hindrance)
            return Task.FromResult(hindrance);
        var pending = new PendingRequest(PreparedRequest.Of(request));
        return Takes(pending) ? pending.Outcome.WaitAsync(ct) : Task.FromResult<LedgerOutcome>(Busy(1));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<LedgerOutcome>> SubmitAsync(
        IReadOnlyList<LedgerRequest> requests, BulkMode mode, CancellationToken ct)
    {
        if (requests.Count > LedgerLimits.BulkMax)
            throw new ArgumentOutOfRangeException(nameof(requests), requests.Count, $"at most {LedgerLimits.BulkMax} requests");
        if (mode == BulkMode.Independent)
            return await Task.WhenAll(requests.Select(request => SubmitAsync(request, ct)));
        if (requests.Count == 0)
            return [];
        for (var i = 0; i < requests.Count; i++)
        {
            if (Hindrance(requests[i]) is { } hindrance)
                return AllBut(i, requests.Count, hindrance);
        }

        var pending = new PendingGroup([.. requests.Select(PreparedRequest.Of)]);
        return Takes(pending)
            ? await pending.Outcomes.WaitAsync(ct)
            : [.. Enumerable.Repeat(Busy(requests.Count), requests.Count)];
    }

    /// <summary>Takes over what is checked and prepared; false when there is no room.</summary>
    internal bool Takes(Pending pending) => _queue.TryAdd(pending) || Term?.Diverts(pending) == true;

    // What keeps a request out of the queue.
    private LedgerOutcome? Hindrance(LedgerRequest request)
    {
        if (LedgerShape.Check(request) is { } fault)
        {
            _metrics?.Count(LedgerMetrics.Refused, 1);
            return new LedgerOutcome.Refused(fault, Replayed: false);
        }

        if (_refusals.WaitOf(request.Actor) is not { } wait)
            return null;
        _metrics?.Count(LedgerMetrics.Busy, 1);
        return new LedgerOutcome.Busy(wait);
    }

    private LedgerOutcome.Busy Busy(int requests)
    {
        _metrics?.Count(LedgerMetrics.Busy, requests);
        return new LedgerOutcome.Busy(_options.RetryAfter);
    }

    /// <summary>The answers of an all-or-nothing call whose request at <paramref name="index"/> is hindered.</summary>
    internal static LedgerOutcome[] AllBut(int index, int count, LedgerOutcome hindrance)
    {
        LedgerOutcome others = hindrance is LedgerOutcome.Busy
            ? hindrance
            : new LedgerOutcome.Refused(LedgerCodes.Reject(LedgerCodes.BulkRefused), Replayed: false);
        var outcomes = new LedgerOutcome[count];
        Array.Fill(outcomes, others);
        outcomes[index] = hindrance;
        return outcomes;
    }

    /// <summary>Makes the fence row if this shard has none yet.</summary>
    public async Task PrepareAsync(CancellationToken ct)
    {
        await using var command = _source.CreateCommand(
            "insert into ledger_fence values ($1, 0, 0, 0, 'epoch') on conflict do nothing");
        command.Parameters.Add(new NpgsqlParameter { Value = _shard });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Refuses further requests; what waits is still decided, then <see cref="RunAsync"/> ends.</summary>
    public void Complete() => _queue.Complete();

    /// <summary>
    /// Serves the queue until <see cref="Complete"/>, or gives it up on <paramref name="ct"/>: those who wait are then
    /// told that their outcome is unknown.
    /// </summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (await WaitAsync(ct))
            {
                var batch = _queue.TakeBatch(BatchSize());
                if (Term?.TakesBack(batch) != true)
                    await StartAsync(batch, ct);
            }
        }
        finally
        {
            _queue.Complete();
            await LandAsync(all: true, ct);
            while (_queue.TryTake(out var pending))
                pending.Fail(new OperationCanceledException("the ledger writer has stopped"));
        }
    }

    // Until requests wait and one more batch may start; false when no more will come. Batches land meanwhile.
    private async Task<bool> WaitAsync(CancellationToken ct)
    {
        _waiting ??= _queue.WaitAsync(ct).AsTask();
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

    // Half of what waits and flies: as much then flies as is decided. Few requests are not worth two commits.
    private int BatchSize()
    {
        var flying = _flights.Sum(flight => flight.Asked.Count);
        return Math.Clamp((_queue.Count + flying + 1) / 2, Math.Min(BatchSizeMin, _options.BatchSizeMax), _options.BatchSizeMax);
    }

    private async Task StartAsync(List<Pending> batch, CancellationToken ct)
    {
        var asked = AskedOf(batch);
        if (_committer.CanRunAhead(asked))
        {
            try
            {
                var before = _flights.LastOrDefault();
                var flight = await _committer.DecideAheadAsync(batch, asked, before, ct);
                flight.Landing = FlyAsync(flight, before, ct);
                _flights.Enqueue(flight);
                return;
            }
            catch (Exception fault)
            {
                // What could not even be decided waits for those before it, and is then decided with all care.
                LogBehind(fault, batch.Count);
            }
        }

        await LandAsync(all: true, ct);
        await CommitOrSplitAsync(batch, attempt: 1, ct);
    }

    private async Task<Exception?> FlyAsync(LedgerFlight flight, LedgerFlight? before, CancellationToken ct)
    {
        try
        {
            await using var transaction = flight.Transaction;
            if (flight.Decided.Events.Count > 0)
                await _committer.CommitAsync(flight, before, ct);
            // A replay of what is still on its way is true only once that has arrived.
            else if (before is not null && await before.Landing is { } fault)
                return fault;
        }
        catch (Exception fault)
        {
            return fault;
        }
        finally
        {
            flight.IsWritten();
        }

        _metrics?.Decided(flight.Decided.Outcomes, Stopwatch.GetElapsedTime(flight.Started));
        Answer(flight.Batch, flight.Asked, flight.Decided);
        return null;
    }

    // Takes the first batch out of the air, or all of them. After one that failed no other is believed: they all end first,
    // and those that failed are decided again, one after the other.
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

        if (failed.Count == 0)
            return;
        _committer.Forget();
        foreach (var (flight, fault) in failed)
        {
            if (ct.IsCancellationRequested)
                Fail(flight.Batch, fault);
            else
            {
                LogBehind(fault, flight.Asked.Count);
                await CommitOrSplitAsync([.. flight.Batch], attempt: 1, ct);
            }
        }
    }

    // Those who were just answered go on first: what they ask next joins the next batch instead of the one after it, so
    // that callers do not fall into two halves that wait for each other. Takes no time when nobody is there.
    private static Task GiveWayAsync()
    {
        var turn = new TaskCompletionSource();
        ThreadPool.UnsafeQueueUserWorkItem(static turn => turn.SetResult(), turn, preferLocal: false);
        return turn.Task;
    }

    // One bad request never costs its neighbours: a batch that fails is halved until the culprit stands alone.
    private async Task CommitOrSplitAsync(List<Pending> batch, int attempt, CancellationToken ct)
    {
        if (Term?.TakesBack(batch) == true)
            return;
        try
        {
            await CommitAsync(batch, ct);
        }
        catch (Exception e)
        {
            // Whether the transaction was committed is unknown here: forget everything and ask the tables again.
            // What was committed answers as a replay.
            _committer.Forget();
            if (ct.IsCancellationRequested)
                Fail(batch, e);
            else if (LedgerFaults.IsPassing(e))
                await RepeatAsync(batch, e, attempt, ct);
            else if (batch.Count == 1)
                FailAlone(batch[0], e);
            else
            {
                LogSplit(e, batch.Count);
                await CommitOrSplitAsync(batch[..(batch.Count / 2)], 1, ct);
                await CommitOrSplitAsync(batch[(batch.Count / 2)..], 1, ct);
            }
        }
    }

    private async Task RepeatAsync(List<Pending> batch, Exception fault, int attempt, CancellationToken ct)
    {
        LogRepeat(fault, batch.Count, attempt);
        if (attempt >= _options.AttemptsMax)
        {
            Fail(batch, fault);
            return;
        }

        try
        {
            await Task.Delay(_options.AttemptPause * (1 << (attempt - 1)), _clock, ct);
        }
        catch (OperationCanceledException)
        {
            Fail(batch, fault);
            return;
        }

        await CommitOrSplitAsync(batch, attempt + 1, ct);
    }

    private void FailAlone(Pending pending, Exception fault)
    {
        if (LedgerFaults.IsConflict(fault) && pending.Asked.Any(asked => asked.Request.Companion is not null))
        {
            _metrics?.Count(LedgerMetrics.Refused, pending.Asked.Count);
            var refused = new LedgerOutcome.Refused(
                LedgerCodes.Reject(LedgerCodes.CompanionConflict, "companion"), Replayed: false);
            pending.Answer([.. Enumerable.Repeat(refused, pending.Asked.Count)]);
            return;
        }

        LogFault(fault, pending.Asked[0].Request.Key);
        Fail([pending], fault);
    }

    private void Fail(IReadOnlyList<Pending> batch, Exception fault)
    {
        _metrics?.Count(LedgerMetrics.Failed, batch.Sum(pending => pending.Asked.Count));
        foreach (var pending in batch)
            pending.Fail(fault);
    }

    private async Task CommitAsync(List<Pending> batch, CancellationToken ct)
    {
        var (started, asked) = (Stopwatch.GetTimestamp(), AskedOf(batch));
        DecidedBatch? decided;
        while ((decided = await _committer.TryCommitAsync(batch, asked, ct)) is null)
        {
            LogFenceLost(_shard);
            _committer.Forget();
            if (Term?.TakesBack(batch) == true)
                return;
        }

        _metrics?.Decided(decided.Outcomes, Stopwatch.GetElapsedTime(started));
        Answer(batch, asked, decided);
    }

    private static List<PreparedRequest> AskedOf(List<Pending> batch)
    {
        var asked = new List<PreparedRequest>(batch.Count);
        foreach (var pending in batch)
            asked.AddRange(pending.Asked);
        return asked;
    }

    private void Answer(IReadOnlyList<Pending> batch, IReadOnlyList<PreparedRequest> asked, DecidedBatch decided)
    {
        for (var i = 0; i < asked.Count; i++)
        {
            if (decided.Recorded[i])
                _refusals.Count(asked[i].Request.Actor, decided.Outcomes[i]);
        }

        var first = 0;
        foreach (var pending in batch)
        {
            pending.Answer(decided.Outcomes.AsSpan(first, pending.Asked.Count));
            first += pending.Asked.Count;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of {Count} ledger requests failed; halving it.")]
    private partial void LogSplit(Exception fault, int count);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "A batch of {Count} ledger requests did not arrive; deciding it again.")]
    private partial void LogBehind(Exception fault, int count);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "The database is away: {Count} ledger requests, attempt {Attempt}.")]
    private partial void LogRepeat(Exception fault, int count, int attempt);

    [LoggerMessage(Level = LogLevel.Error, Message = "The ledger request {Key} failed.")]
    private partial void LogFault(Exception fault, string key);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "Another writer moved the fence of {Shard}; reading everything again.")]
    private partial void LogFenceLost(string shard);
}
