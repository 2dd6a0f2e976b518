using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>
/// Keeps this host's place among those that serve a shard's ledger: renews the lease or watches it, takes it when it is
/// free, runs a writer for as long as the term lasts, and hands both over at the end.
/// </summary>
internal sealed partial class LedgerLeadership : IAsyncDisposable
{
    private const int SecretBytes = 32;
    private static readonly TimeSpan LookTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(20);

    private readonly string _shard;
    private readonly LedgerLease _lease;
    private readonly LedgerOptions _options;
    private readonly ILedgerAddress _address;
    private readonly Func<LedgerTerm, LedgerWriter> _newWriter;
    private readonly Func<LedgerWriter, Task> _open;
    private readonly LedgerForwarder _heir;
    private readonly ILedgerProbe? _probe;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _end = new();
    private readonly CancellationTokenSource _giveUp = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly SemaphoreSlim _wake = new(0);
    private Reign? _reign;
    private Task _retired = Task.CompletedTask;
    private Task _loop = Task.CompletedTask;
    private volatile LedgerWriter? _writer;
    private volatile SeenLease? _seen;
    private volatile DatabaseTime? _time;
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
        (_newWriter, _open, _heir, _probe, _logger) = (newWriter, open, heir, probe, logger);
        Metrics = metrics?.ForLease(shard, () => Standing);
    }

    /// <summary>What this shard's lease reports to.</summary>
    public LedgerMetrics.OfLease? Metrics { get; }

    /// <summary>The writer of this host's term, or null. Its term may have run out a moment ago.</summary>
    public LedgerWriter? Writer => _writer;

    /// <summary>As <see cref="Writer"/>, but never one whose term has run out.</summary>
    public LedgerWriter? LiveWriter => _writer is { Term.IsOver: false } writer ? writer : null;

    /// <summary>The lease as it was last seen; null before the first look.</summary>
    public SeenLease? Seen => _seen;

    /// <summary>The time of the database, by the last look and what has passed since; null before the first.</summary>
    public DateTimeOffset? DatabaseNow => _time?.Now;

    /// <summary>How this host stands to the journal.</summary>
    public LedgerStanding Standing => new(
        _shard, LiveWriter is not null, _seen is { IsFree: false }, _seen?.Term ?? 0);

    private string? Address => _listens ? _address.Current : null;

    /// <summary>True when the lease of <paramref name="seen"/> is this host's own.</summary>
    public bool IsOwn(SeenLease seen) => string.Equals(seen.Holder, _lease.Holder, StringComparison.Ordinal);

    /// <summary>Takes the lease at once when it is free, then goes on looking.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        await LookAsync(ct);
        if (_reign is { } reign)
            await reign.Opened.WaitAsync(ct);
        _loop = Task.Run(() => RunAsync(_end.Token), CancellationToken.None);
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
        var reign = _reign;
        _writer = null;
        reign?.Term.Close();
        _turn.Release();
        if (reign is null)
            return;
        reign.Writer.Complete();
        await reign.Running.WaitAsync(ct);
        await _turn.WaitAsync(ct);
        try
        {
            if (_reign == reign)
                await GiveBackAsync(reign, ct);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends all writers at once: who waits for one is told that the outcome is unknown.</summary>
    public Task GiveUpAsync() => _giveUp.CancelAsync();

    /// <summary>Stops looking and waits for every writer that this host has run.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _loop;
        if (_reign is { } reign)
            EndReign(reign);
        await _giveUp.CancelAsync();
        await _retired.ContinueWith(_ => { }, TaskScheduler.Default);
        await _lease.DisposeAsync();
        _seen?.Dispose();
        _end.Dispose();
        _giveUp.Dispose();
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
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    // A lease that runs out is looked at when it does.
    private TimeSpan UntilNextLook()
    {
        var left = _reign is null && _seen is { IsFree: false } seen ? seen.Left : _options.LeaseRenewal;
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
            // A writer that has ended, by hand-over or by a fault, keeps nobody from the lease.
            if (_reign is { Running.IsCompleted: true } ended)
                await GiveBackAsync(ended, limit.Token);
            else if (_reign is { } reign && !await RenewAsync(reign, limit))
                EndReign(reign);
            if (_reign is null)
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
            if (_reign is { Term.IsOver: true } late)
                EndReign(late);
            _turn.Release();
            Interlocked.Exchange(ref _looked, NewLook()).TrySetResult();
        }
    }

    private async Task<bool> RenewAsync(Reign reign, CancellationTokenSource limit)
    {
        var left = reign.Term.Left;
        if (left <= TimeSpan.Zero)
            return false;
        limit.CancelAfter(left);
        var (address, until) = (Address, Until(_options.LeaseTime));
        if (await _lease.RenewAsync(reign.Term.Number, address, _options.LeaseTime, limit.Token) is not { } now)
            return false;
        _time = new DatabaseTime(now, Stopwatch.GetTimestamp());
        reign.Term.Renew(until);
        _seen!.Update(address, until);
        limit.CancelAfter(LookTimeout);
        return !reign.Term.IsOver;
    }

    private async Task GiveBackAsync(Reign reign, CancellationToken ct)
    {
        _writer = null;
        await _lease.ReleaseAsync(reign.Term.Number, ct);
        _reign = null;
        reign.Term.End();
        _seen?.Free();
        _retired = Task.WhenAll(_retired, reign.Running);
        Metrics?.Changed("handed_over");
        LogHandedOver(_shard, reign.Term.Number);
    }

    private async Task ObserveAsync(CancellationToken ct)
    {
        var (now, row) = await _lease.ReadAsync(ct);
        _time = new DatabaseTime(now, Stopwatch.GetTimestamp());
        if (row is { Left: var left } && left > TimeSpan.Zero)
            See(row);
        else if (!_leaving || _heir.HasWaiting)
            await TakeAsync(ct);
    }

    private void See(LeaseRow row)
    {
        var until = Until(row.Left);
        if (_seen is { } seen && seen.Term == row.Term && string.Equals(seen.Holder, row.Holder, StringComparison.Ordinal))
            seen.Update(row.Address, until);
        else
            Replace(new SeenLease(row.Term, row.Holder, row.Secret, row.Address, until));
    }

    private void Replace(SeenLease next)
    {
        var before = _seen;
        _seen = next;
        before?.Dispose();
    }

    private async Task TakeAsync(CancellationToken ct)
    {
        var (secret, address, until) = (RandomNumberGenerator.GetBytes(SecretBytes), Address, Until(_options.LeaseTime));
        // Who leaves lets those who stay go first: each of them looks within a renewal's time.
        var freeFor = _leaving ? _options.LeaseRenewal * 2 : TimeSpan.Zero;
        if (await _lease.TakeAsync(secret, address, _options.LeaseTime, freeFor, ct) is not { } number)
            return;
        var term = new LedgerTerm(number, secret, until, _heir.TakeBack);
        var writer = _newWriter(term);
        try
        {
            // In this order: preparing waits for whoever is changing the fence.
            await BreakFenceAsync(ct);
            await writer.PrepareAsync(ct);
        }
        catch
        {
            await _lease.ReleaseAsync(number, ct);
            throw;
        }

        var running = Task.Run(() => writer.RunAsync(_giveUp.Token), CancellationToken.None);
        _reign = new Reign(term, writer, running, OpenAsync(writer));
        Replace(new SeenLease(number, _lease.Holder, secret, address, until));
        _writer = writer;
        Metrics?.Changed("taken");
        LogTaken(_shard, number);
    }

    private async Task BreakFenceAsync(CancellationToken ct)
    {
        try
        {
            if (await _lease.BreakFenceAsync(ct) > 0)
                LogBroken(_shard);
        }
        catch (PostgresException fault) when (fault.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            LogNotBroken(fault, _shard);
        }
    }

    private async Task OpenAsync(LedgerWriter writer)
    {
        try
        {
            await _open(writer);
        }
        catch (Exception fault)
        {
            LogNotOpened(fault, _shard);
            throw;
        }
    }

    // What waits for the writer comes back to the heir; what it is committing ends as the fence decides.
    private void EndReign(Reign reign)
    {
        _writer = null;
        _reign = null;
        reign.Term.End();
        reign.Writer.Complete();
        _retired = Task.WhenAll(_retired, reign.Running);
        Metrics?.Changed("lost");
        LogLost(_shard, reign.Term.Number);
    }

    private static long Until(TimeSpan time) =>
        Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "This host writes the ledger of {Shard} from here on, term {Term}.")]
    private partial void LogTaken(string shard, long term);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "This host lost the ledger of {Shard}, term {Term}; what waited looks for the next writer.")]
    private partial void LogLost(string shard, long term);

    [LoggerMessage(Level = LogLevel.Information, Message = "This host handed the ledger of {Shard} over, term {Term}.")]
    private partial void LogHandedOver(string shard, long term);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "An earlier writer of {Shard} held the fence still; its transaction is ended.")]
    private partial void LogBroken(string shard);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "This database user may not end an earlier writer's transaction on the ledger of {Shard}.")]
    private partial void LogNotBroken(Exception fault, string shard);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of the ledger of {Shard} could not be reached.")]
    private partial void LogAway(Exception fault, string shard);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The standing accounts of {Shard} may not be open yet.")]
    private partial void LogNotOpened(Exception fault, string shard);

    /// <summary>A term of this host with its writer.</summary>
    /// <param name="Term">The term.</param>
    /// <param name="Writer">Its writer.</param>
    /// <param name="Running">The writer's loop.</param>
    /// <param name="Opened">The writer's first duty.</param>
    private sealed record Reign(LedgerTerm Term, LedgerWriter Writer, Task Running, Task Opened);

    private sealed record DatabaseTime(DateTimeOffset At, long Stamp)
    {
        public DateTimeOffset Now => At + Stopwatch.GetElapsedTime(Stamp);
    }
}
