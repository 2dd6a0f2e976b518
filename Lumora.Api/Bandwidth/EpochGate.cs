using Lumora.Api.Rewards;
using Lumora.Domain.Rewards;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lumora.Api.Bandwidth;

/// <summary>
/// Says which epoch pays a contribution. Acceptances share a lock that a close takes alone, so that no
/// contribution slips into an epoch whose inputs are sealed: what comes later belongs to the next open one.
/// </summary>
internal sealed class EpochGate(IOptions<RewardsOptions> options)
{
    // Any constant of our own; advisory locks have one number space per database.
    private const long LockId = 0x4C55_4D4F_5241_4550;

    /// <summary>The epoch for a contribution at <paramref name="now"/>; holds until the transaction's end.</summary>
    public async Task<long> OpenEpochAsync(NpgsqlConnection connection, DateTimeOffset now, CancellationToken ct)
    {
        await LockAsync(connection, "pg_advisory_xact_lock_shared", ct);
        var current = EpochClock.EpochOf(now, options.Value.EpochSeconds);
        return Math.Max(current, await LastSealedAsync(connection, ct) + 1);
    }

    /// <summary>Keeps contributions out until the transaction's end.</summary>
    public static Task CloseAsync(NpgsqlConnection connection, CancellationToken ct) =>
        LockAsync(connection, "pg_advisory_xact_lock", ct);

    /// <summary>The highest sealed epoch, −1 when there is none.</summary>
    public static async Task<long> LastSealedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select coalesce(max(epoch), -1) from reward_epoch", connection);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task LockAsync(NpgsqlConnection connection, string function, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"select {function}({LockId})", connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
