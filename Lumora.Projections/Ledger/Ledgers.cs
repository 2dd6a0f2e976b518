using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Runs one writer per shard with the host: opens the standing accounts at the first start, and at the end answers
/// everybody who waits before it stops.
/// </summary>
public sealed partial class Ledgers : ILedgers, IHostedService, IDisposable
{
    private static readonly Actor Network = Actor.System("ledger");
    private readonly Dictionary<string, LedgerWriter> _writers = new(StringComparer.Ordinal);
    private readonly List<Task> _running = [];
    private readonly CancellationTokenSource _giveUp = new();
    private readonly ShardSessions _sessions;
    private readonly LedgerOptions _options;
    private readonly ILogger _logger;

    /// <summary>Makes the writers; none runs before <see cref="StartAsync"/>.</summary>
    public Ledgers(
        ShardSessions sessions, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<LedgerWriter> logger,
        IEnumerable<ILedgerProbe> probes, LedgerMetrics metrics)
    {
        (_sessions, _options, _logger) = (sessions, options.Value, logger);
        foreach (var role in Enum.GetValues<ShardRole>())
        {
            if (!_writers.ContainsKey(sessions.ShardOf(role)))
                _writers[sessions.ShardOf(role)] = new LedgerWriter(
                    sessions, role, _options, clock, logger, probes.SingleOrDefault(), metrics);
        }
    }

    /// <inheritdoc/>
    public ILedger For(ShardRole role) => _writers[_sessions.ShardOf(role)];

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var writer in _writers.Values)
        {
            await writer.PrepareAsync(cancellationToken);
            _running.Add(Task.Run(() => writer.RunAsync(_giveUp.Token), CancellationToken.None));
            await Task.WhenAll(ChartOfAccounts.Standing.Select(code => OpenAsync(writer, code, cancellationToken)));
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var writer in _writers.Values)
            writer.Complete();
        try
        {
            await Task.WhenAll(_running).WaitAsync(_options.DrainTimeout, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            LogGivenUp(e);
            await _giveUp.CancelAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _giveUp.Dispose();

    private static async Task OpenAsync(LedgerWriter ledger, string code, CancellationToken ct)
    {
        var outcome = await ledger.SubmitAsync(
            new LedgerRequest(Network, $"open/{code}/{ChartOfAccounts.Lmr}", new OpenAccount(code)), ct);
        Check.That(outcome is LedgerOutcome.Posted, "standing accounts open");
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The ledger could not answer all requests in time; repeated with their keys they get their outcome.")]
    private partial void LogGivenUp(Exception fault);
}
