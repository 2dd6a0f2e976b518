using System.Globalization;
using GraphQL;
using Lumora.Api.Rewards;
using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Api.GraphQL;

/// <summary>A closed epoch. Paid and unallocated together are its emission, to the last base unit.</summary>
/// <param name="Number">The epoch.</param>
/// <param name="Emission">What the network pays for it.</param>
/// <param name="Paid">To providers.</param>
/// <param name="Unallocated">Pools without a claim, to the treasury.</param>
/// <param name="Providers">Providers with a claim.</param>
/// <param name="Contributions">Accepted pieces of work.</param>
/// <param name="Nodes">Nodes that worked.</param>
/// <param name="Bytes">Body bytes of accepted work.</param>
/// <param name="InputRoot">RFC 6962 root over the contributions, hex.</param>
/// <param name="RewardRoot">RFC 6962 root over the allocations, hex.</param>
/// <param name="Reason">Why the steward closed it then.</param>
/// <param name="SealedAt">When its inputs were sealed.</param>
/// <param name="PaidAt">When the ledger held all of it; null while payments are under way.</param>
public sealed record Epoch(
    long Number, Amount Emission, Amount Paid, Amount Unallocated, int Providers, int Contributions, int Nodes,
    long Bytes, string InputRoot, string RewardRoot, string Reason, DateTimeOffset SealedAt, DateTimeOffset? PaidAt)
{
    /// <summary>The emission for people.</summary>
    public string EmissionFormatted => Emission.Format();

    /// <summary>The sum of all payments for people.</summary>
    public string PaidFormatted => Paid.Format();

    /// <summary>What went to the treasury, for people.</summary>
    public string UnallocatedFormatted => Unallocated.Format();

    internal static Epoch From(EpochRow row) => new(
        row.Epoch, row.Emission, row.Paid, row.Unallocated, row.Providers, row.Contributions, row.Nodes, row.Bytes,
        row.InputRoot, row.RewardRoot, row.Reason, row.SealedAt, row.PaidAt);
}

/// <summary>What you earned.</summary>
/// <param name="Total">Over all epochs.</param>
/// <param name="Withdrawable">What you can withdraw to your wallet now.</param>
/// <param name="WithdrawalNote">What stands between the total and what is withdrawable.</param>
/// <param name="Epochs">Epoch by epoch, oldest first.</param>
public sealed record Earnings(
    Amount Total, Amount Withdrawable, string WithdrawalNote, Connection<EpochEarning> Epochs)
{
    /// <summary>The total for people.</summary>
    public string TotalFormatted => Total.Format();
}

/// <summary>What you earned in one epoch.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Nodes">Nodes of yours that worked.</param>
/// <param name="Bytes">Their accepted work.</param>
/// <param name="Weight">Your weight in the allocation, decimal.</param>
/// <param name="Amount">Your part of the work pool.</param>
/// <param name="InputRoot">RFC 6962 root over your contributions in it, hex.</param>
/// <param name="PaidAt">When the epoch was paid; null while payments are under way.</param>
public sealed record EpochEarning(
    long Epoch, int Nodes, long Bytes, string Weight, Amount Amount, string InputRoot, DateTimeOffset? PaidAt)
{
    /// <summary>The amount for people.</summary>
    public string AmountFormatted => Amount.Format();
}

/// <summary>An epoch to close.</summary>
/// <param name="Epoch">Number; begun, and after every closed one.</param>
/// <param name="Reason">Why now, 3 to 500 characters; stands in the public log.</param>
/// <param name="IdempotencyKey">Your key, 1 to 128 visible ASCII characters: the same key never closes another epoch.</param>
public sealed record CloseEpochInput(long Epoch, string Reason, string IdempotencyKey);

/// <summary>The closed epoch, or why not.</summary>
/// <param name="Epoch">The epoch; null when refused.</param>
/// <param name="Error">Why it was refused.</param>
public sealed record CloseEpochPayload(Epoch? Epoch, UserError? Error);

public sealed partial class Query
{
    private const string NotWithdrawable =
        "Not withdrawable yet: your earnings stand in the ledger; payouts to wallets are not open.";

    /// <summary>The epoch that pays what is contributed now: this moment's, or the first one that is not closed.</summary>
    [AllowAnyone]
    public static Task<long> CurrentEpoch([FromServices] IEpochCloser epochs, CancellationToken ct) =>
        epochs.CurrentEpochAsync(ct);

    /// <summary>A closed epoch; null while it is open.</summary>
    /// <param name="number">The epoch.</param>
    [AllowAnyone]
    public static async Task<Epoch?> Epoch([FromServices] ShardSessions sessions, long number, CancellationToken ct) =>
        await EpochRows.FindAsync(sessions, number, ct) is { } row ? GraphQL.Epoch.From(row) : null;

    /// <summary>Closed epochs, oldest first.</summary>
    [AllowAnyone]
    public static async Task<Connection<Epoch>> Epochs(
        [FromServices] ShardSessions sessions, PageRequest page, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            $"select {EpochRows.Columns} from reward_epoch where epoch > $1 and epoch < $2 "
            + $"order by epoch {(page.Backward ? "desc" : "asc")} limit $3");
        AddRange(command, page);
        var rows = new List<Epoch>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            rows.Add(GraphQL.Epoch.From(EpochRows.Read(reader)));
        return page.Page(rows, row => row.Number.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>What you earned, in all and epoch by epoch.</summary>
    [AllowSignedIn]
    public static async Task<Earnings> Earnings(
        IResolveFieldContext context, [FromServices] ShardSessions sessions, PageRequest page, CancellationToken ct)
    {
        var provider = context.Actor().Id;
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select a.epoch, a.nodes, a.bytes, a.weight, a.amount, a.input_root, e.paid_at "
            + "from reward_allocation a join reward_epoch e on e.epoch = a.epoch "
            + "where a.epoch > $1 and a.epoch < $2 and a.provider = $4 "
            + $"order by a.epoch {(page.Backward ? "desc" : "asc")} limit $3");
        AddRange(command, page);
        command.Parameters.Add(new NpgsqlParameter { Value = provider });
        var rows = new List<EpochEarning>();
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                rows.Add(new EpochEarning(
                    reader.GetInt64(0), reader.GetInt32(1), reader.GetInt64(2), reader.GetString(3),
                    new Amount(reader.GetInt64(4)), reader.GetString(5),
                    reader.IsDBNull(6) ? null : reader.GetFieldValue<DateTimeOffset>(6)));
            }
        }

        await using var sum = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select coalesce(sum(amount), 0)::bigint from reward_allocation where provider = $1");
        sum.Parameters.Add(new NpgsqlParameter { Value = provider });
        var total = new Amount((long)(await sum.ExecuteScalarAsync(ct))!);
        return new Earnings(
            total, Amount.Zero, NotWithdrawable,
            page.Page(rows, row => row.Epoch.ToString(CultureInfo.InvariantCulture)));
    }

    private static void AddRange(NpgsqlCommand command, PageRequest page)
    {
        command.Parameters.Add(new NpgsqlParameter { Value = Number(page.After, long.MinValue) });
        command.Parameters.Add(new NpgsqlParameter { Value = Number(page.Before, long.MaxValue) });
        command.Parameters.Add(new NpgsqlParameter { Value = page.Take });
    }

    private static long Number(string? key, long otherwise) =>
        long.TryParse(key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : otherwise;
}

public sealed partial class Mutation
{
    /// <summary>Closes an epoch by hand and pays it. Closing it again answers the same.</summary>
    /// <param name="input">The epoch.</param>
    [Allow(Roles.Steward)]
    public static async Task<CloseEpochPayload> CloseEpoch(
        IResolveFieldContext context, [FromServices] IEpochCloser epochs, CloseEpochInput input, CancellationToken ct)
    {
        var command = new CloseEpoch(context.Actor(), input.Epoch, input.Reason, input.IdempotencyKey);
        var closed = await epochs.CloseAsync(command, ct);
        return new CloseEpochPayload(
            closed.Value is { } row ? GraphQL.Epoch.From(row) : null, UserError.From(closed.Rejection));
    }
}
