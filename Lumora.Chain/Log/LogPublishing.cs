using System.Collections.Concurrent;
using System.Diagnostics;
using Lumora.Chain.Witnessing;
using Lumora.Projections.EventStore;
using Lumora.Projections.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Lumora.Chain.Log;

/// <summary>
/// Runs one publisher for each shard: a notification of committed leaves wakes it, and a slow poll stands in for one that got
/// lost. A fault delays the log and stops nothing else; the next round starts by recovering.
/// </summary>
public sealed partial class LogPublishing(
    ShardLogs logs, ShardMap shards, LumoraHome home, IAnchoredCheckpoints anchored, ICosigner cosigner,
    ILogger<LogPublishing> logger)
    : BackgroundService
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);
    // A checkpoint costs some ten flushes to the disk, however many leaves it has: under load they wait for company.
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, string> _faults = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _refusals = new(StringComparer.Ordinal);

    /// <summary>Why a shard's log is not published at the moment, by shard; empty when all is well.</summary>
    public IReadOnlyDictionary<string, string> Faults => _faults;

    /// <summary>
    /// The faults that wait for a person: signing could fork the log. They name sizes, roots and transactions, nothing secret.
    /// </summary>
    public IReadOnlyDictionary<string, string> Refusals => _refusals;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var checkpointLock = await TakeLockAsync(stoppingToken);
        await Task.WhenAll(logs.All.Select(log => RunAsync(log, checkpointLock, stoppingToken)));
    }

    private async Task<FolderCheckpointLock> TakeLockAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FolderCheckpointLock(home.Folder("lock"));
            }
            catch (Exception exception) when (exception is LogRefusedException or IOException or UnauthorizedAccessException)
            {
                // Another host on this home signs; take over when it goes. Or the disk refuses: the host serves on without a log.
                Note("*", exception);
                await Task.Delay(FaultPause, cancellationToken);
            }
        }
    }

    private async Task RunAsync(ShardLog log, ICheckpointLock checkpointLock, CancellationToken cancellationToken)
    {
        var publisher = new LogPublisher(log.Shard, log.Leaves, log.Blobs, checkpointLock, logs.SignerOf(log.Shard), anchored, cosigner);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(log, publisher, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // Whatever it is: a shard whose publisher ends is one that nobody sees standing still.
                Note(log.Shard, exception);
                if (exception is LogRefusedException)
                    _refusals[log.Shard] = exception.Message;
                await Task.Delay(FaultPause, CancellationToken.None);
            }
        }
    }

    private async Task ListenAsync(ShardLog log, LogPublisher publisher, CancellationToken cancellationToken)
    {
        await using var connection = await shards.DataSource(log.Shard).OpenConnectionAsync(cancellationToken);
        await using var listen = new NpgsqlCommand($"listen {LogStore.Channel}", connection);
        while (true)
        {
            // Also takes in what was notified in the meantime: all of that is published now.
            await listen.ExecuteNonQueryAsync(cancellationToken);
            var begun = Stopwatch.GetTimestamp();
            if (await publisher.PublishAsync(cancellationToken) is { } checkpoint)
                logs.Publish(checkpoint, publisher.AgreesWithChain);
            _faults.TryRemove(log.Shard, out _);
            _refusals.TryRemove(log.Shard, out _);
            _faults.TryRemove("*", out _);
            await connection.WaitAsync(PollInterval, cancellationToken);
            if (CheckpointInterval - Stopwatch.GetElapsedTime(begun) is { Ticks: > 0 } early)
                await Task.Delay(early, cancellationToken);
        }
    }

    private void Note(string shard, Exception exception)
    {
        // The same fault once a second would bury everything else.
        if (_faults.TryGetValue(shard, out var known) && known == exception.Message)
            return;
        _faults[shard] = exception.Message;
        if (exception is LogRefusedException)
            Refused(shard, exception.Message);
        else
            Failed(shard, exception);
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The log of shard {Shard} is not signed: {Reason}")]
    private partial void Refused(string shard, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Publishing the log of shard {Shard} failed and is tried again")]
    private partial void Failed(string shard, Exception exception);
}
