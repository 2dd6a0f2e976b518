using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lumora.Api.Tasks;

/// <summary>
/// Brings back what lost nodes held. The stored deadline decides, so nothing is lost when this host was down at
/// that moment, and two sweepers do no harm.
/// </summary>
internal sealed class LeaseSweeper(
    ShardSessions sessions, LeaseEnds ends, IOptions<TasksOptions> options, TimeProvider clock,
    ILogger<LeaseSweeper> logger)
    : Worker(logger)
{
    private const int LeasesPerPass = 200;

    /// <inheritdoc/>
    protected override async Task<bool> PassAsync(CancellationToken ct)
    {
        var late = await LateAsync(ct);
        foreach (var (taskId, leaseId) in late)
            await ends.ExpireAsync(taskId, leaseId, ct);
        return late.Count == LeasesPerPass;
    }

    /// <inheritdoc/>
    protected override Task IdleAsync(CancellationToken ct) =>
        Task.Delay(TimeSpan.FromMilliseconds(options.Value.SweepMs), clock, ct);

    private async Task<List<(string TaskId, string LeaseId)>> LateAsync(CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select task_id, lease_id from work_task where phase = 'leased' and deadline < $1 order by deadline limit $2");
        command.Parameters.Add(new NpgsqlParameter { Value = clock.Now() });
        command.Parameters.Add(new NpgsqlParameter { Value = LeasesPerPass });
        var late = new List<(string, string)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            late.Add((reader.GetString(0), reader.GetString(1)));
        return late;
    }
}
