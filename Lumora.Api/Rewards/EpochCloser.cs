using Lumora.Api.Bandwidth;
using Lumora.Api.EventStore;
using Lumora.Domain.Kernel;
using Lumora.Domain.Rewards;
using Lumora.Projections.EventStore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Lumora.Api.Rewards;

/// <summary>A steward closes an epoch by hand.</summary>
/// <param name="Actor">The steward.</param>
/// <param name="Epoch">Number; begun, and no earlier one with contributions open.</param>
/// <param name="Reason">Why, 3 to 500 characters; stands in the event.</param>
/// <param name="IdempotencyKey">The caller's key, 1 to 128 visible ASCII characters.</param>
public sealed record CloseEpoch(Actor Actor, long Epoch, string Reason, string IdempotencyKey);

/// <summary>Where epochs are closed.</summary>
public interface IEpochCloser
{
    /// <summary>The epoch that pays what is contributed now: this moment's, or the first one that is not closed.</summary>
    Task<long> CurrentEpochAsync(CancellationToken ct);

    /// <summary>Seals, computes and pays <see cref="CloseEpoch.Epoch"/>.</summary>
    /// <returns>
    /// The closed epoch, or <c>invalid_key</c>, <c>idempotency_conflict</c>, <c>epoch_not_begun</c>,
    /// <c>epoch_out_of_order</c>, <c>reason_required</c>.
    /// </returns>
    Task<Result<EpochRow>> CloseAsync(CloseEpoch command, CancellationToken ct);
}

/// <summary>
/// Seals and computes an epoch in one commit that keeps contributions out meanwhile; the payer posts it afterwards.
/// Closing twice is closing once.
/// </summary>
internal sealed class EpochCloser(
    ShardSessions sessions, EpochPayer payer, IOptions<RewardsOptions> options, TimeProvider clock)
    : IEpochCloser
{
    private const int KeyLengthMax = 128;

    /// <inheritdoc/>
    public async Task<long> CurrentEpochAsync(CancellationToken ct)
    {
        await using var connection = await sessions.DataSource(ShardRole.Region).OpenConnectionAsync(ct);
        var now = EpochClock.EpochOf(clock.Now(), options.Value.EpochSeconds);
        return Math.Max(now, await EpochGate.LastSealedAsync(connection, ct) + 1);
    }

    /// <inheritdoc/>
    public async Task<Result<EpochRow>> CloseAsync(CloseEpoch command, CancellationToken ct)
    {
        if (await SealAsync(command, ct) is { } rejection)
            return rejection;
        await payer.PayAsync(command.Epoch, ct);
        return (await EpochRows.FindAsync(sessions, command.Epoch, ct))!;
    }

    /// <summary>Only the first half: the events of the close. Null when they stand.</summary>
    public async Task<Rejection?> SealAsync(CloseEpoch command, CancellationToken ct)
    {
        if (command.IdempotencyKey.Length is 0 or > KeyLengthMax || !command.IdempotencyKey.All(c => c is > ' ' and < '\x7f'))
            return new Rejection("invalid_key", "1 to 128 visible ASCII characters.", "idempotencyKey");

        await using var connection = await sessions.DataSource(ShardRole.Region).OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await EpochGate.CloseAsync(connection, ct);
        var now = clock.Now();
        if (await ClaimKeyAsync(connection, command, ct) is { } conflict)
            return conflict;

        await using var session = sessions.Open(ShardRole.Region, command.Actor, transaction);
        var stream = await session.Events.FetchForWriting<EpochState>(EpochState.StreamOf(command.Epoch), ct);
        if (stream.Aggregate is null && await WhyNotAsync(connection, command.Epoch, now, ct) is { } reason)
            return reason;
        var inputs = new EpochInputs(
            command.Epoch, options.Value.Emission, await EpochRows.ContributionsAsync(connection, command.Epoch, ct),
            await EpochRows.WorkAsync(connection, command.Epoch, options.Value.EpochSeconds, ct));
        var decision = EpochDecider.Close(stream.Aggregate, inputs, command.Actor.Id, command.Reason, now);
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        await session.CommitAsync(stream, decision, ct);
        await transaction.CommitAsync(ct);
        return null;
    }

    private async Task<Rejection?> WhyNotAsync(
        NpgsqlConnection connection, long epoch, DateTimeOffset now, CancellationToken ct)
    {
        var current = EpochClock.EpochOf(now, options.Value.EpochSeconds);
        if (epoch > current && !await MayCloseEarlyAsync(connection, epoch, ct))
            return new Rejection("epoch_not_begun", $"The current epoch is {current}.", "epoch");
        var last = await EpochGate.LastSealedAsync(connection, ct);
        if (epoch <= last)
            return new Rejection("epoch_out_of_order", $"Epoch {last} is closed already.", "epoch");
        await using var earlier = new NpgsqlCommand(
            "select min(epoch) from bandwidth_contribution where epoch > $1 and epoch < $2", connection);
        earlier.Parameters.Add(new NpgsqlParameter { Value = last });
        earlier.Parameters.Add(new NpgsqlParameter { Value = epoch });
        return await earlier.ExecuteScalarAsync(ct) is long open
            ? new Rejection("epoch_out_of_order", $"Close epoch {open} first: it has contributions.", "epoch")
            : null;
    }

    /// <summary>
    /// Development switch: an epoch that was entered because the one before was closed by hand may be closed ahead
    /// of its time, too; only with work in it, so that closing alone never makes money.
    /// </summary>
    private async Task<bool> MayCloseEarlyAsync(NpgsqlConnection connection, long epoch, CancellationToken ct)
    {
        if (!options.Value.AllowEarlyClose)
            return false;
        await using var worked = new NpgsqlCommand(
            "select exists (select 1 from bandwidth_contribution where epoch = $1)", connection);
        worked.Parameters.Add(new NpgsqlParameter { Value = epoch });
        return (bool)(await worked.ExecuteScalarAsync(ct))!;
    }

    /// <summary>One key means one epoch, for ever; it counts only when the close commits.</summary>
    private static async Task<Rejection?> ClaimKeyAsync(
        NpgsqlConnection connection, CloseEpoch command, CancellationToken ct)
    {
        await using var claim = new NpgsqlCommand(
            "insert into reward_close_key (actor, key, epoch) values ($1, $2, $3) "
            + "on conflict (actor, key) do update set key = excluded.key returning epoch",
            connection);
        claim.Parameters.Add(new NpgsqlParameter { Value = command.Actor.Id });
        claim.Parameters.Add(new NpgsqlParameter { Value = command.IdempotencyKey });
        claim.Parameters.Add(new NpgsqlParameter { Value = command.Epoch });
        var epoch = (long)(await claim.ExecuteScalarAsync(ct))!;
        return epoch == command.Epoch
            ? null
            : new Rejection("idempotency_conflict", $"This key closed epoch {epoch}.", "epoch");
    }
}
