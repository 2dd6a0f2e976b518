using Lumora.Domain.Kernel;
using Lumora.Domain.Rewards;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Api.Rewards;

/// <summary>A closed epoch.</summary>
/// <param name="Epoch">Number.</param>
/// <param name="Emission">What the network pays for it: paid and unallocated together.</param>
/// <param name="Paid">To providers.</param>
/// <param name="Unallocated">To the treasury, pools without a claim.</param>
/// <param name="Providers">Providers with a claim.</param>
/// <param name="Contributions">Accepted pieces of work.</param>
/// <param name="Nodes">Nodes that worked.</param>
/// <param name="Bytes">Body bytes of accepted work.</param>
/// <param name="InputRoot">RFC 6962 root over the contributions, hex.</param>
/// <param name="RewardRoot">RFC 6962 root over the allocations, hex.</param>
/// <param name="ClosedBy">The steward.</param>
/// <param name="Reason">The steward's reason.</param>
/// <param name="SealedAt">When its inputs were sealed.</param>
/// <param name="PaidAt">When the ledger held all of it; null while payments are under way.</param>
public sealed record EpochRow(
    long Epoch, Amount Emission, Amount Paid, Amount Unallocated, int Providers, int Contributions, int Nodes,
    long Bytes, string InputRoot, string RewardRoot, string ClosedBy, string Reason, DateTimeOffset SealedAt,
    DateTimeOffset? PaidAt);

/// <summary>Reads of epochs.</summary>
internal static class EpochRows
{
    /// <summary>The columns of <see cref="Read"/>, in its order.</summary>
    public const string Columns =
        "epoch, emission, paid, unallocated, providers, contributions, nodes, bytes, input_root, "
        + "coalesce(reward_root, ''), closed_by, reason, sealed_at, paid_at";

    // Judged results: what was accepted in the epoch, and what was refused since the last seal.
    private const string Work =
        """
        with since as (select coalesce(max(sealed_at), '-infinity') as at from reward_epoch where epoch < $1),
        done as (
          select node_id, owner, sum(bytes)::bigint as bytes, count(*)::int as ok
          from bandwidth_contribution where epoch = $1 group by node_id, owner),
        refused as (
          select l.node_id, count(*)::int as n from work_lease l, since
          where l.state = 'rejected' and l.ended_at > since.at group by l.node_id)
        select d.node_id, d.owner, d.bytes, d.ok, d.ok + coalesce(r.n, 0),
          (n.data ->> 'registeredAt')::timestamptz, n.data ->> 'suspendedBecause'
        from done d join mt_doc_nodeview n on n.id = 'node/' || d.node_id left join refused r on r.node_id = d.node_id
        """;

    /// <summary>A closed epoch, or null.</summary>
    public static async Task<EpochRow?> FindAsync(ShardSessions sessions, long epoch, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region)
            .CreateCommand($"select {Columns} from reward_epoch where epoch = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = epoch });
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? Read(reader) : null;
    }

    /// <summary>The row at which <paramref name="reader"/> stands.</summary>
    public static EpochRow Read(NpgsqlDataReader reader) => new(
        reader.GetInt64(0), new Amount(reader.GetInt64(1)), new Amount(reader.GetInt64(2)),
        new Amount(reader.GetInt64(3)), reader.GetInt32(4), reader.GetInt32(5), reader.GetInt32(6), reader.GetInt64(7),
        reader.GetString(8), reader.GetString(9), reader.GetString(10), reader.GetString(11),
        reader.GetFieldValue<DateTimeOffset>(12),
        reader.IsDBNull(13) ? null : reader.GetFieldValue<DateTimeOffset>(13));

    /// <summary>The contributions that <paramref name="epoch"/> pays.</summary>
    public static async Task<IReadOnlyList<EpochInput>> ContributionsAsync(
        NpgsqlConnection connection, long epoch, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select contribution_id, node_id, owner, bytes, receipt_hash from bandwidth_contribution where epoch = $1",
            connection);
        command.Parameters.Add(new NpgsqlParameter { Value = epoch });
        var inputs = new List<EpochInput>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            inputs.Add(new EpochInput(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetInt64(3), reader.GetString(4)));
        }

        return inputs;
    }

    /// <summary>What each node did in <paramref name="epoch"/>.</summary>
    public static async Task<IReadOnlyList<NodeWork>> WorkAsync(
        NpgsqlConnection connection, long epoch, int epochSeconds, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Work, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = epoch });
        var work = new List<NodeWork>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var registered = EpochClock.EpochOf(reader.GetFieldValue<DateTimeOffset>(5), epochSeconds);
            work.Add(new NodeWork(
                reader.GetString(0), reader.GetString(1), reader.GetInt64(2), reader.GetInt32(3), reader.GetInt32(4),
                epoch - registered, Suspended: !reader.IsDBNull(6)));
        }

        return work;
    }
}
