using System.Diagnostics;
using Lumora.Domain.Kernel;
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
    private readonly LedgerQueue _queue;
    private readonly LedgerOptions _options;
    private readonly string _shard;
    private readonly NpgsqlDataSource _source;
    private readonly LedgerCompanions _companions;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ILedgerProbe? _probe;
    private readonly LedgerMetrics.OfWriter? _metrics;
    private readonly AccountCache _cache;
    private readonly RefusalLimiter _refusals;
    private long? _fence;

    /// <summary>Whether this writer may start another batch, and who takes what it may not; null = until it is stopped.</summary>
    internal LedgerTerm? Term { get; init; }

    /// <summary>A writer for the shard of <paramref name="role"/>; it takes requests at once and works when run.</summary>
    public LedgerWriter(
        ShardSessions sessions, ShardRole role, LedgerOptions options, TimeProvider clock, ILogger<LedgerWriter> logger,
        ILedgerProbe? probe = null, LedgerMetrics? metrics = null)
    {
        (_options, _clock, _logger, _probe) = (options, clock, logger, probe);
        _shard = sessions.ShardOf(role);
        _source = sessions.WriterSource(role);
        _companions = new LedgerCompanions(sessions, role);
        _cache = new AccountCache(options.CachedAccountsMax);
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
            while (await _queue.WaitAsync(ct))
            {
                var batch = _queue.TakeBatch(_options.BatchSizeMax);
                await CommitOrSplitAsync(batch, attempt: 1, ct);
                if (batch.Count > 1)
                    await GiveWayAsync();
            }
        }
        finally
        {
            _queue.Complete();
            while (_queue.TryTake(out var pending))
                pending.Fail(new OperationCanceledException("the ledger writer has stopped"));
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
            ForgetEverything();
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

    private void Fail(List<Pending> batch, Exception fault)
    {
        _metrics?.Count(LedgerMetrics.Failed, batch.Sum(pending => pending.Asked.Count));
        foreach (var pending in batch)
            pending.Fail(fault);
    }

    private async Task CommitAsync(List<Pending> batch, CancellationToken ct)
    {
        while (!await TryCommitAsync(batch, ct))
        {
            LogFenceLost(_shard);
            Check.That(_fence is not null, "a writer without a cache takes the fence wherever it stands");
            ForgetEverything();
            if (Term?.TakesBack(batch) == true)
                return;
        }
    }

    private async Task<bool> TryCommitAsync(List<Pending> batch, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var asked = new List<PreparedRequest>(batch.Count);
        foreach (var pending in batch)
            asked.AddRange(pending.Asked);
        var accounts = LedgerBatch.AccountsOf(asked);
        var (missing, cached) = _cache.Split(accounts);
        await using var transaction = await LedgerTransaction.BeginAsync(_source, ct);
        var needs = LedgerBatch.NeedsOf(asked, missing);
        if (await transaction.MoveFenceAsync(_shard, _fence, needs, ct) is not { } moved)
            return false;
        var state = moved.State;
        foreach (var account in cached)
            state.Load(account);
        await LoadFurtherAsync(transaction, asked, state, ct);
        var before = state.Version;
        var decided = LedgerBatch.Decide(state, batch, _clock.Now());
        await ReachAsync(CommitPoint.BeforeAppend, transaction, ct);
        if (decided.Events.Count > 0)
        {
            // Companions first: what can still conflict does so before the journal takes sequence numbers.
            if (decided.Companions.Count > 0)
                await _companions.AppendAsync(transaction.Transaction, decided.Companions, ct);
            await transaction.WriteAsync(
                _shard, state, decided.Writes, new JournalAppend(_shard, before, decided.Events), ct);
            await ReachAsync(CommitPoint.AfterAppend, transaction, ct);
            await transaction.CommitAsync(ct);
            _fence = moved.Fence;
            foreach (var key in accounts.Concat(state.Touched.Keys))
                _cache.Put(key, state.Account(key));
            await ReachAsync(CommitPoint.AfterCommit, transaction, ct);
        }

        _metrics?.Decided(decided.Outcomes, Stopwatch.GetElapsedTime(started));
        Answer(batch, asked, decided);
        return true;
    }

    private static async Task LoadFurtherAsync(
        LedgerTransaction transaction, List<PreparedRequest> asked, LedgerState state, CancellationToken ct)
    {
        var further = LedgerBatch.FurtherAccountsOf(asked, state);
        further.RemoveWhere(key => state.Account(key) is not null);
        if (further.Count > 0)
            await transaction.LoadAccountsAsync(further, state, ct);
    }

    private void Answer(List<Pending> batch, List<PreparedRequest> asked, DecidedBatch decided)
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

    // A cached row is never older than the fence, so whoever loses the fence loses the cache with it.
    private void ForgetEverything()
    {
        _fence = null;
        _cache.Clear();
    }

    private ValueTask ReachAsync(CommitPoint point, LedgerTransaction transaction, CancellationToken ct) =>
        _probe?.ReachedAsync(point, transaction.Backend, ct) ?? ValueTask.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of {Count} ledger requests failed; halving it.")]
    private partial void LogSplit(Exception fault, int count);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "The database is away: {Count} ledger requests, attempt {Attempt}.")]
    private partial void LogRepeat(Exception fault, int count, int attempt);

    [LoggerMessage(Level = LogLevel.Error, Message = "The ledger request {Key} failed.")]
    private partial void LogFault(Exception fault, string key);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "Another writer moved the fence of {Shard}; reading everything again.")]
    private partial void LogFenceLost(string shard);
}
