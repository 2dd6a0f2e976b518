using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Lumora.Projections.Ledger;

/// <summary>
/// The terms of this host as the writer of a shard's journal, one after the other: takes the lease, runs a writer for as
/// long as it is renewed, gives both back or sees them lost. <see cref="LedgerLeadership"/> lets in one caller at a time.
/// </summary>
internal sealed partial class LedgerTerms : IAsyncDisposable
{
    private const int SecretBytes = 32;

    private readonly string _shard;
    private readonly LedgerLease _lease;
    private readonly LeaseSight _sight;
    private readonly LedgerForwarder _heir;
    private readonly LedgerOptions _options;
    private readonly Func<LedgerTerm, LedgerWriter> _newWriter;
    private readonly Func<LedgerWriter, Task> _open;
    private readonly LedgerMetrics.OfLease? _metrics;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _giveUp = new();
    private Task _retired = Task.CompletedTask;
    private volatile LedgerWriter? _writer;

    /// <summary>No term yet.</summary>
    /// <param name="shard">The journal's shard.</param>
    /// <param name="lease">Its lease, as this host.</param>
    /// <param name="sight">Is told what is taken and renewed.</param>
    /// <param name="heir">Takes what a term leaves undecided.</param>
    /// <param name="options">Times.</param>
    /// <param name="newWriter">Makes the writer of a term.</param>
    /// <param name="open">What a writer does before all else.</param>
    /// <param name="metrics">Hears of changes.</param>
    /// <param name="logger">Hears of changes.</param>
    public LedgerTerms(
        string shard, LedgerLease lease, LeaseSight sight, LedgerForwarder heir, LedgerOptions options,
        Func<LedgerTerm, LedgerWriter> newWriter, Func<LedgerWriter, Task> open, LedgerMetrics.OfLease? metrics, ILogger logger)
    {
        (_shard, _lease, _sight, _heir, _options) = (shard, lease, sight, heir, options);
        (_newWriter, _open, _metrics, _logger) = (newWriter, open, metrics, logger);
    }

    /// <summary>The term that lasts, as far as this host knows; null while another host writes, or nobody.</summary>
    public LedgerReign? Current { get; private set; }

    /// <summary>The writer of this host's term, or null. Its term may have run out a moment ago.</summary>
    public LedgerWriter? Writer => _writer;

    /// <summary>Takes the lease if it has been free for <paramref name="freeFor"/>, and starts to write.</summary>
    public async Task TakeAsync(string? address, TimeSpan freeFor, CancellationToken ct)
    {
        var (secret, until) = (RandomNumberGenerator.GetBytes(SecretBytes), LeaseSight.Until(_options.LeaseTime));
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
            await ReleaseAsync(number);
            throw;
        }

        var running = Task.Run(() => writer.RunAsync(_giveUp.Token), CancellationToken.None);
        Current = new LedgerReign(term, writer, running, OpenAsync(writer));
        _sight.Replace(new SeenLease(number, _lease.Holder, secret, address, until));
        _writer = writer;
        _metrics?.Changed("taken");
        LogTaken(_shard, number);
    }

    /// <summary>Renews the term that lasts; ends it when that fails.</summary>
    /// <param name="address">Where this host takes forwarded requests.</param>
    /// <param name="limit">Of the look; the renewal lasts no longer than the term, and the look goes on after it.</param>
    public async Task RenewAsync(string? address, CancellationTokenSource limit)
    {
        // A writer that has ended, by hand-over or by a fault, keeps nobody from the lease.
        if (Current is { Running.IsCompleted: true } ended)
            await GiveBackAsync(ended, limit.Token);
        else if (Current is { } reign && !await IsRenewedAsync(reign, address, limit))
            End(reign);
    }

    /// <summary>No request comes into the term that lasts any more; what waits is still decided. Answers that term.</summary>
    public LedgerReign? Close()
    {
        var reign = Current;
        _writer = null;
        reign?.Term.Close();
        return reign;
    }

    /// <summary>Gives the lease of <paramref name="reign"/> back, whose writer has ended.</summary>
    public async Task GiveBackAsync(LedgerReign reign, CancellationToken ct)
    {
        _writer = null;
        await _lease.ReleaseAsync(reign.Term.Number, ct);
        Current = null;
        reign.Term.End();
        _sight.Lease?.Free();
        _retired = Task.WhenAll(_retired, reign.Running);
        _metrics?.Changed("handed_over");
        LogHandedOver(_shard, reign.Term.Number);
    }

    /// <summary>Ends a term whose time has run out.</summary>
    public void EndIfOver()
    {
        if (Current is { Term.IsOver: true } late)
            End(late);
    }

    /// <summary>Ends all writers at once: who waits for one is told that the outcome is unknown.</summary>
    public Task GiveUpAsync() => _giveUp.CancelAsync();

    /// <summary>Ends the term, and waits for every writer that this host has run.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Current is { } reign)
            End(reign);
        await _giveUp.CancelAsync();
        await _retired.ContinueWith(_ => { }, TaskScheduler.Default);
        _giveUp.Dispose();
    }

    private async Task<bool> IsRenewedAsync(LedgerReign reign, string? address, CancellationTokenSource limit)
    {
        var left = reign.Term.Left;
        if (left <= TimeSpan.Zero)
            return false;
        limit.CancelAfter(left);
        var until = LeaseSight.Until(_options.LeaseTime);
        if (await _lease.RenewAsync(reign.Term.Number, address, _options.LeaseTime, limit.Token) is not { } now)
            return false;
        _sight.Read(now);
        reign.Term.Renew(until);
        _sight.Lease!.Update(address, until);
        limit.CancelAfter(LedgerLeadership.LookTimeout);
        return !reign.Term.IsOver;
    }

    // What waits for the writer comes back to the heir; what it is committing ends as the fence decides.
    private void End(LedgerReign reign)
    {
        _writer = null;
        Current = null;
        reign.Term.End();
        reign.Writer.Complete();
        _retired = Task.WhenAll(_retired, reign.Running);
        _metrics?.Changed("lost");
        LogLost(_shard, reign.Term.Number);
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

    // Of a term that could not begin, perhaps because its time was up: that of the release is its own.
    private async Task ReleaseAsync(long number)
    {
        using var limit = new CancellationTokenSource(LedgerLeadership.LookTimeout);
        try
        {
            await _lease.ReleaseAsync(number, limit.Token);
        }
        catch (Exception fault) when (fault is NpgsqlException or OperationCanceledException)
        {
            // It runs out by itself.
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The standing accounts of {Shard} may not be open yet.")]
    private partial void LogNotOpened(Exception fault, string shard);
}

/// <summary>A term of this host with its writer.</summary>
/// <param name="Term">The term.</param>
/// <param name="Writer">Its writer.</param>
/// <param name="Running">The writer's loop.</param>
/// <param name="Opened">The writer's first duty.</param>
internal sealed record LedgerReign(LedgerTerm Term, LedgerWriter Writer, Task Running, Task Opened);
