using Lumora.Api.Operations;

namespace Lumora.Api.Embedded;

/// <summary>Starts the embedded PostgreSQL again when it dies under the host; whoever waits for it repeats what it asked.</summary>
internal sealed partial class PostgresWatch(EmbeddedPostgres database, ILogger<PostgresWatch> logger) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await LookAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops the server itself, after everything that uses it.
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        if (database.IsRunning)
            return;
        LogDied();
        try
        {
            await database.RestartAsync(ct);
            LogRestarted();
        }
        catch (StartupException fault)
        {
            LogFailed(fault);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The embedded PostgreSQL has died; starting it again.")]
    private partial void LogDied();

    [LoggerMessage(Level = LogLevel.Information, Message = "The embedded PostgreSQL runs again.")]
    private partial void LogRestarted();

    [LoggerMessage(Level = LogLevel.Error, Message = "The embedded PostgreSQL did not start again; the next attempt follows.")]
    private partial void LogFailed(Exception fault);
}
