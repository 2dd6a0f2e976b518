using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Lumora.Projections.Ledger;

/// <summary>
/// The ledgers of this host: one of all hosts writes each shard's journal, and the callers of every host reach it here.
/// Opens the standing accounts with the first writer, and at the end answers everybody who waits before it stops.
/// </summary>
public sealed partial class Ledgers : ILedgers, IHostedLifecycleService, IAsyncDisposable
{
    private static readonly Actor Network = Actor.System("ledger");
    private readonly Dictionary<string, ShardLedger> _ledgers = new(StringComparer.Ordinal);
    private readonly ShardSessions _sessions;
    private readonly LedgerOptions _options;
    private readonly ILogger _logger;

    /// <summary>Makes the ledgers; none works before <see cref="StartAsync"/>.</summary>
    public Ledgers(
        ShardSessions sessions, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<LedgerWriter> logger,
        IEnumerable<ILedgerProbe> probes, LedgerMetrics metrics, ILedgerAddress address)
    {
        (_sessions, _options, _logger) = (sessions, options.Value, logger);
        var holder = Guid.NewGuid().ToString("N");
        foreach (var role in Enum.GetValues<ShardRole>())
        {
            var shard = sessions.ShardOf(role);
            if (_ledgers.ContainsKey(shard))
                continue;
            var (forwarder, probe) = (new LedgerForwarder(_options), probes.SingleOrDefault());
            var leadership = new LedgerLeadership(
                shard, new LedgerLease(sessions.LeaseSource(role), shard, holder), _options, address,
                term => new LedgerWriter(sessions, role, _options, clock, logger, probe, metrics) { Term = term },
                OpenAsync, forwarder, probe, metrics, logger);
            _ledgers[shard] = new ShardLedger(
                leadership, forwarder, new LedgerSender(shard, _options, leadership.Metrics), _options);
        }
    }

    /// <summary>How this host stands to each journal.</summary>
    public IReadOnlyList<LedgerStanding> Standings => [.. _ledgers.Values.Select(ledger => ledger.Standing)];

    /// <inheritdoc/>
    public ILedger For(ShardRole role) => _ledgers[_sessions.ShardOf(role)];

    /// <summary>Decides a batch that another host sent for <paramref name="shard"/>; null when there is no such shard.</summary>
    public async Task<ForwardAnswer?> ReceiveAsync(string shard, ForwardedBatch batch, CancellationToken ct) =>
        _ledgers.TryGetValue(shard, out var ledger) ? await ledger.ReceiveAsync(batch, ct) : null;

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var ledger in _ledgers.Values)
            await ledger.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The host listens now.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        foreach (var ledger in _ledgers.Values)
            ledger.Listens();
        return Task.CompletedTask;
    }

    /// <summary>Hands over while the host still serves, so that nobody who forwards to it loses an answer.</summary>
    public Task StoppingAsync(CancellationToken cancellationToken) =>
        EndAsync(ledger => ledger.HandOverAsync, giveUp: false, cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) =>
        EndAsync(ledger => ledger.DrainAsync, giveUp: true, cancellationToken);

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var ledger in _ledgers.Values)
            await ledger.DisposeAsync();
    }

    private async Task EndAsync(
        Func<ShardLedger, Func<CancellationToken, Task>> end, bool giveUp, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(_options.DrainTimeout);
        try
        {
            await Task.WhenAll(_ledgers.Values.Select(ledger => end(ledger)(limit.Token)));
        }
        catch (Exception fault)
        {
            LogGivenUp(fault);
            if (giveUp)
                await DisposeAsync();
        }
    }

    private static async Task OpenAsync(LedgerWriter writer)
    {
        var outcomes = await Task.WhenAll(ChartOfAccounts.Standing.Select(code => writer.SubmitAsync(
            new LedgerRequest(Network, $"open/{code}/{ChartOfAccounts.Lmr}", new OpenAccount(code)), CancellationToken.None)));
        Check.That(outcomes.All(outcome => outcome is LedgerOutcome.Posted), "standing accounts open");
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The ledger could not answer all requests in time; repeated with their keys they get their outcome.")]
    private partial void LogGivenUp(Exception fault);
}
