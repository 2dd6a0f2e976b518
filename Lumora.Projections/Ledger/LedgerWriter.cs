using System.Diagnostics;
using System.Threading.Channels;
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
    private readonly Channel<Pending> _queue;
    private readonly LedgerOptions _options;
    private readonly string _shard;
    private readonly NpgsqlDataSource _source;
    private readonly LedgerJournalWriter _journal;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ILedgerProbe? _probe;
    private readonly LedgerMetrics.OfWriter? _metrics;
    private readonly AccountCache _cache;
    private readonly RefusalLimiter _refusals;
    private long? _fence;

    /// <summary>A writer for the shard of <paramref name="role"/>; it takes requests at once and works when run.</summary>
    public LedgerWriter(
        ShardSessions sessions, ShardRole role, LedgerOptions options, TimeProvider clock, ILogger<LedgerWriter> logger,
        ILedgerProbe? probe = null, LedgerMetrics? metrics = null)
    {
        (_options, _clock, _logger, _probe) = (options, clock, logger, probe);
        _shard = sessions.ShardOf(role);
        _source = sessions.DataSource(role);
        _journal = new LedgerJournalWriter(sessions, role);
        _cache = new AccountCache(options.CachedAccountsMax);
        _refusals = new RefusalLimiter(options.RefusalsPerMinuteMax, clock);
        _queue = Channel.CreateBounded<Pending>(
            new BoundedChannelOptions(options.QueueLengthMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _metrics = metrics?.For(_shard, () => _queue.Reader.Count);
    }

    /// <inheritdoc/>
    public Task<LedgerOutcome> SubmitAsync(LedgerRequest request, CancellationToken ct)
    {
        if (LedgerShape.Check(request) is { } fault)
            return Counted(new LedgerOutcome.Refused(fault, Replayed: false), LedgerMetrics.Refused);
        if (_refusals.WaitOf(request.Actor) is { } wait)
            return Counted(new LedgerOutcome.Busy(wait), LedgerMetrics.Busy);
        var pending = new Pending(request, RequestDigest.Of(request.Command));
        return _queue.Writer.TryWrite(pending)
            ? pending.Answer.Task.WaitAsync(ct)
            : Counted(new LedgerOutcome.Busy(_options.RetryAfter), LedgerMetrics.Busy);
    }

    private Task<LedgerOutcome> Counted(LedgerOutcome outcome, string name)
    {
        _metrics?.Count(name, 1);
        return Task.FromResult(outcome);
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
    public void Complete() => _queue.Writer.TryComplete();

    /// <summary>
    /// Serves the queue until <see cref="Complete"/>, or gives it up on <paramref name="ct"/>: those who wait are then
    /// told that their outcome is unknown.
    /// </summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (await _queue.Reader.WaitToReadAsync(ct))
            {
                var batch = new List<Pending>();
                while (batch.Count < _options.BatchSizeMax && _queue.Reader.TryRead(out var pending))
                    batch.Add(pending);
                await CommitOrSplitAsync(batch, attempt: 1, ct);
            }
        }
        finally
        {
            _queue.Writer.TryComplete();
            while (_queue.Reader.TryRead(out var pending))
                pending.Fail(new OperationCanceledException("the ledger writer has stopped"));
        }
    }

    // One bad request never costs its neighbours: a batch that fails is halved until the culprit stands alone.
    private async Task CommitOrSplitAsync(List<Pending> batch, int attempt, CancellationToken ct)
    {
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
        if (pending.Request.Companion is not null && LedgerFaults.IsConflict(fault))
        {
            _metrics?.Count(LedgerMetrics.Refused, 1);
            pending.Answer.TrySetResult(new LedgerOutcome.Refused(
                LedgerCodes.Reject(LedgerCodes.CompanionConflict, "companion"), Replayed: false));
            return;
        }

        LogFault(fault, pending.Request.Key);
        Fail([pending], fault);
    }

    private void Fail(List<Pending> batch, Exception fault)
    {
        _metrics?.Count(LedgerMetrics.Failed, batch.Count);
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
        }
    }

    private async Task<bool> TryCommitAsync(List<Pending> batch, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var accounts = LedgerBatch.AccountsOf(batch);
        var (needs, cached) = LedgerBatch.NeedsOf(batch, accounts, _cache);
        await using var transaction = await LedgerTransaction.BeginAsync(_source, ct);
        if (await transaction.MoveFenceAsync(_shard, _fence, needs, ct) is not { } moved)
            return false;
        var state = moved.State;
        foreach (var account in cached)
            state.Load(account);
        var before = state.Version;
        var decided = LedgerBatch.Decide(state, batch, _clock.Now());
        await ReachAsync(CommitPoint.BeforeAppend, transaction, ct);
        if (decided.Accepted.Count > 0)
        {
            await transaction.WriteAsync(_shard, state, decided.Writes, ct);
            await _journal.AppendAsync(transaction.Transaction, before, decided.Accepted, ct);
            await ReachAsync(CommitPoint.AfterAppend, transaction, ct);
            await transaction.CommitAsync(ct);
            _fence = moved.Fence;
            foreach (var key in accounts)
                _cache.Put(key, state.Account(key));
            await ReachAsync(CommitPoint.AfterCommit, transaction, ct);
        }

        _metrics?.Decided(decided.Outcomes, Stopwatch.GetElapsedTime(started));
        for (var i = 0; i < batch.Count; i++)
        {
            if (decided.Recorded[i])
                _refusals.Count(batch[i].Request.Actor, decided.Outcomes[i]);
            batch[i].Answer.TrySetResult(decided.Outcomes[i]);
        }

        return true;
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
