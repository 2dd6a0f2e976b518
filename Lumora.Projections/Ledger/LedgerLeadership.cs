using Microsoft.Extensions.Logging;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Keeps this host's place among those that serve a shard's ledger: looks at the lease, again and again, renews it or takes
/// it when it is free, and hands it over at the end. What a term is, <see cref="LedgerTerms"/> knows.
/// </summary>
internal sealed partial class LedgerLeadership : IAsyncDisposable
{
    /// <summary>How long a look may take that renews nothing.</summary>
    public static readonly TimeSpan LookTimeout = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(20);

    private readonly string _shard;
    private readonly LedgerLease _lease;
    private readonly LeaseSight _sight;
    private readonly LedgerTerms _terms;
    private readonly LedgerOptions _options;
    private readonly ILedgerAddress _address;
    private readonly LedgerForwarder _heir;
    private readonly ILedgerProbe? _probe;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _end = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly SemaphoreSlim _wake = new(0);
    private Task _loop = Task.CompletedTask;
    private volatile TaskCompletionSource _looked = NewLook();
    private volatile bool _listens;
    private volatile bool _leaving;
    private bool _away;

    /// <summary>A host without a place yet.</summary>
    /// <param name="shard">The journal's shard.</param>
    /// <param name="lease">Its lease, as this host.</param>
    /// <param name="options">Times.</param>
    /// <param name="address">What the lease says while this host holds it.</param>
    /// <param name="newWriter">Makes the writer of a term.</param>
    /// <param name="open">What a writer does before all else.</param>
    /// <param name="heir">Takes what a term leaves undecided.</param>
    /// <param name="probe">Of a test.</param>
    /// <param name="metrics">Hears of changes.</param>
    /// <param name="logger">Hears of changes.</param>
    public LedgerLeadership(
        string shard, LedgerLease lease, LedgerOptions options, ILedgerAddress address,
        Func<LedgerTerm, LedgerWriter> newWriter, Func<LedgerWriter, Task> open, LedgerForwarder heir,
        ILedgerProbe? probe, LedgerMetrics? metrics, ILogger logger)
    {
        (_shard, _lease, _options, _address) = (shard, lease, options, address);
        (_heir, _probe, _logger) = (heir, probe, logger);
        _sight = new LeaseSight(lease.Holder);
        Metrics = metrics?.ForLease(shard, () => Standing);
        _terms = new LedgerTerms(shard, lease, _sight, heir, options, newWriter, open, Metrics, logger);
    }

    /// <summary>What this shard's lease reports to.</summary>
    public LedgerMetrics.OfLease? Metrics { get; }

    /// <inheritdoc cref="LedgerTerms.Writer"/>
    public LedgerWriter? Writer => _terms.Writer;

    /// <summary>As <see cref="Writer"/>, but never one whose term has run out.</summary>
    public LedgerWriter? LiveWriter => _terms.Writer is { Term.IsOver: false } writer ? writer : null;

    /// <inheritdoc cref="LeaseSight.Lease"/>
    public SeenLease? Seen => _sight.Lease;

    /// <inheritdoc cref="LeaseSight.DatabaseNow"/>
    public DateTimeOffset? DatabaseNow => _sight.DatabaseNow;

    /// <summary>How this host stands to the journal.</summary>
    public LedgerStanding Standing => new(
        _shard, LiveWriter is not null, Seen is { IsFree: false }, Seen?.Term ?? 0);

    private string? Address => _listens ? _address.Current : null;

    /// <inheritdoc cref="LeaseSight.IsOwn"/>
    public bool IsOwn(SeenLease seen) => _sight.IsOwn(seen);

    /// <summary>Takes the lease at once when it is free, and goes on looking: opening may take longer than a lease lasts.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        await LookAsync(ct);
        var first = _terms.Current;
        _loop = Task.Run(() => RunAsync(_end.Token), CancellationToken.None);
        if (first is not null)
            await first.Opened.WaitAsync(ct);
    }

    /// <summary>The host takes forwarded requests now: the lease says where.</summary>
    public void Listens()
    {
        _listens = true;
        _wake.Release();
    }

    /// <summary>Looks again soon instead of when it is time; the task ends after a look.</summary>
    public Task LookAgainAsync()
    {
        var looked = _looked.Task;
        _wake.Release();
        return looked;
    }

    /// <summary>
    /// The writer decides what waits for it, takes no more, and gives the lease back. From here on this host takes it
    /// again only for callers of its own that nobody else serves.
    /// </summary>
    public async Task HandOverAsync(CancellationToken ct)
    {
        _leaving = true;
        await _turn.WaitAsync(ct);
        var reign = _terms.Close();
        _turn.Release();
        if (reign is null)
            return;
        reign.Writer.Complete();
        await reign.Running.WaitAsync(ct);
        await _turn.WaitAsync(ct);
        try
        {
            if (_terms.Current == reign)
                await _terms.GiveBackAsync(reign, ct);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc cref="LedgerTerms.GiveUpAsync"/>
    public Task GiveUpAsync() => _terms.GiveUpAsync();

    /// <summary>Stops looking and waits for every writer that this host has run.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _loop;
        await _terms.DisposeAsync();
        await _lease.DisposeAsync();
        _sight.Dispose();
        _end.Dispose();
        _turn.Dispose();
        _wake.Dispose();
    }

    private static TaskCompletionSource NewLook() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                await Task.Delay(LookPause, ct);
                await _wake.WaitAsync(UntilNextLook() - LookPause, ct);
                while (await _wake.WaitAsync(TimeSpan.Zero, ct))
                {
                    // One look answers everybody who asked for one.
                }

                await LookAsync(ct);
            }
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            // The host stops, perhaps in the middle of a look that fails for it.
        }
    }

    // A lease that runs out is looked at when it does.
    private TimeSpan UntilNextLook()
    {
        var left = _terms.Current is null && Seen is { IsFree: false } seen ? seen.Left : _options.LeaseRenewal;
        return left < LookPause ? LookPause : left < _options.LeaseRenewal ? left : _options.LeaseRenewal;
    }

    private async Task LookAsync(CancellationToken ct)
    {
        if (_probe is not null)
            await _probe.LookingAsync(ct);
        await _turn.WaitAsync(ct);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(LookTimeout);
            await _terms.RenewAsync(Address, limit);
            if (_terms.Current is null)
                await ObserveAsync(limit.Token);
            _away = false;
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            if (!_away)
                LogAway(fault, _shard);
            _away = true;
        }
        finally
        {
            _terms.EndIfOver();
            _turn.Release();
            Interlocked.Exchange(ref _looked, NewLook()).TrySetResult();
        }
    }

    private async Task ObserveAsync(CancellationToken ct)
    {
        var (now, row) = await _lease.ReadAsync(ct);
        _sight.Read(now);
        if (row is { Left: var left } && left > TimeSpan.Zero)
            _sight.See(row);
        // Who leaves lets those who stay go first: each of them looks within a renewal's time.
        else if (!_leaving)
            await _terms.TakeAsync(Address, freeFor: TimeSpan.Zero, ct);
        else if (_heir.HasWaiting)
            await _terms.TakeAsync(Address, freeFor: _options.LeaseRenewal * 2, ct);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of the ledger of {Shard} could not be reached.")]
    private partial void LogAway(Exception fault, string shard);
}
