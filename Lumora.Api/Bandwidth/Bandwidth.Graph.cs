using GraphQL;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Api.GraphQL;

/// <summary>Accepted work of one of your nodes under one lease.</summary>
/// <param name="Id">The contribution.</param>
/// <param name="NodeId">The node that worked.</param>
/// <param name="LeaseId">The lease.</param>
/// <param name="CollectionId">The collection that it worked for.</param>
/// <param name="Epoch">The epoch that pays it.</param>
/// <param name="Pages">Pages counted.</param>
/// <param name="Bytes">Body bytes of accepted pages, each capped, each once.</param>
/// <param name="ReceiptHash">SHA-256 of the receipt that your node and the gateway signed, hex.</param>
/// <param name="RecordedAt">When it was accepted.</param>
public sealed record Contribution(
    [property: Id] string Id, [property: Id] string NodeId, [property: Id] string LeaseId,
    [property: Id] string CollectionId, long Epoch, int Pages, long Bytes, string ReceiptHash, DateTimeOffset RecordedAt);

public sealed partial class Query
{
    /// <summary>What your nodes contributed, ordered by id, which is by time.</summary>
    [AllowSignedIn]
    public static async Task<Connection<Contribution>> Contributions(
        IResolveFieldContext context, [FromServices] ShardSessions sessions, PageRequest page, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select contribution_id, node_id, lease_id, collection_id, epoch, pages, bytes, receipt_hash, recorded_at "
            + "from bandwidth_contribution "
            + "where owner = $1 and ($2 = '' or contribution_id > $2) and ($3 = '' or contribution_id < $3) "
            + $"order by contribution_id {(page.Backward ? "desc" : "asc")} limit $4");
        command.Parameters.Add(new NpgsqlParameter { Value = context.Actor().Id });
        command.Parameters.Add(new NpgsqlParameter { Value = page.After ?? "" });
        command.Parameters.Add(new NpgsqlParameter { Value = page.Before ?? "" });
        command.Parameters.Add(new NpgsqlParameter { Value = page.Take });
        var rows = new List<Contribution>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            rows.Add(new Contribution(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetInt64(4),
                reader.GetInt32(5), reader.GetInt64(6), reader.GetString(7), reader.GetFieldValue<DateTimeOffset>(8)));
        }

        return page.Page(rows, row => row.Id);
    }
}
