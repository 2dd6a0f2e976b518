using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Api.Identity;

/// <summary>Deletes nonces and refresh tokens that have expired; they are refused by their time before that.</summary>
internal sealed partial class SignInSweep(ShardSessions sessions, TimeProvider clock, ILogger<SignInSweep> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await using var command = sessions.DataSource(ShardRole.Global).CreateCommand(
                    """
                    with nonces as (delete from auth_nonce_used where expires_at < $1)
                    delete from auth_refresh_token where expires_at < $1
                    """);
                command.Parameters.Add(new NpgsqlParameter { Value = clock.Now() });
                await command.ExecuteNonQueryAsync(stoppingToken);
            }
            catch (NpgsqlException fault)
            {
                LogFailed(fault);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Expired sign-in data was not deleted; the next round tries again")]
    private partial void LogFailed(Exception fault);
}
