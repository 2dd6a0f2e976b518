using Lumora.Projections.Participants;
using Npgsql;

namespace Lumora.Api.Participants;

/// <summary>
/// Before the host serves, and then every minute, destroys keys that survived their recorded erasure. Nothing opens them
/// meanwhile: an erased participant has no readable fields.
/// </summary>
internal sealed partial class ErasureSweep(SubjectErasure erasure, TimeProvider clock, ILogger<ErasureSweep> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await CompleteAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await CompleteAsync(stoppingToken);
    }

    private async Task CompleteAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await erasure.CompleteAsync(cancellationToken) is > 0 and var count)
                LogCompleted(count);
        }
        catch (Exception fault) when (fault is IOException or NpgsqlException)
        {
            LogFailed(fault);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} subject keys had survived their erasure and are destroyed now")]
    private partial void LogCompleted(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Keys of erased subjects could not be destroyed; the next round tries again")]
    private partial void LogFailed(Exception fault);
}
