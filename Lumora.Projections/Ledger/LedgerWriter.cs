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
public sealed class LedgerWriter : QueuedLedger
{
    private readonly LedgerQueue _queue;
    private readonly LedgerOptions _options;
    private readonly string _shard;
    private readonly NpgsqlDataSource _source;
    private readonly LedgerMetrics.OfWriter? _metrics;
    private readonly RefusalLimiter _refusals;
    private readonly LedgerCommitter _committer;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;

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
        _refusals = new RefusalLimiter(options.RefusalsPerMinuteMax, clock);
        _queue = new LedgerQueue(options.QueueLengthMax);
        _metrics = metrics?.For(_shard, () => _queue.Count);
        _committer = new LedgerCommitter(
            _shard, _source, new LedgerCompanions(sessions, role), new AccountCache(options.CachedAccountsMax), _refusals, clock,
            probe);
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
    public Task RunAsync(CancellationToken ct)
    {
        var answers = new BatchAnswers(_metrics);
        var singles = new SingleCommits(_committer, answers, Term, _options, _clock, _logger);
        return new LedgerLoop(_queue, _committer, singles, answers, _options, _logger).RunAsync(ct);
    }

    /// <inheritdoc/>
    internal override bool Takes(Pending pending) => _queue.TryAdd(pending) || Term?.Diverts(pending) == true;

    private protected override LedgerOutcome? Hindrance(LedgerRequest request)
    {
        if (base.Hindrance(request) is { } refused)
        {
            _metrics?.Count(LedgerMetrics.Refused, 1);
            return refused;
        }

        if (_refusals.WaitOf(request.Actor) is not { } wait)
            return null;
        _metrics?.Count(LedgerMetrics.Busy, 1);
        return new LedgerOutcome.Busy(wait);
    }

    private protected override LedgerOutcome Busy(int requests)
    {
        _metrics?.Count(LedgerMetrics.Busy, requests);
        return new LedgerOutcome.Busy(_options.RetryAfter);
    }
}
