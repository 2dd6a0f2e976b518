using System.Runtime.CompilerServices;
using Lumora.Domain.Merkle;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Chain.Log;

/// <summary>A leaf as the sequencer stored it.</summary>
/// <param name="Index">Its place in the log.</param>
/// <param name="Hash">Its RFC 6962 leaf hash.</param>
/// <param name="Bytes">The entry.</param>
/// <param name="Detached">Data that did not fit into the entry, or null.</param>
public sealed record LeafRow(long Index, MerkleHash Hash, byte[] Bytes, byte[]? Detached);

/// <summary>The leaves of one shard, in the order of their indexes.</summary>
public interface ILeafSource
{
    /// <summary>Leaves that are committed.</summary>
    Task<long> SizeAsync(CancellationToken cancellationToken);

    /// <summary>The leaves with indexes from <paramref name="begin"/> up to and without <paramref name="end"/>.</summary>
    IAsyncEnumerable<LeafRow> ReadAsync(long begin, long end, CancellationToken cancellationToken);
}

/// <summary>The leaves of a shard in its database.</summary>
/// <param name="database">For what is planned anew with each question.</param>
/// <param name="lookUps">For the few statements whose plan is always the same; see <see cref="ShardMap.LogSource"/>.</param>
public sealed class LeafTable(NpgsqlDataSource database, NpgsqlDataSource lookUps) : ILeafSource
{
    private const int PageRows = 2_048;

    /// <inheritdoc/>
    public async Task<long> SizeAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select size from log_head where id = 1");
        return await command.ExecuteScalarAsync(cancellationToken) as long? ?? 0;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<LeafRow> ReadAsync(
        long begin, long end, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Page by page: a slow reader holds no connection and no snapshot.
        for (var next = begin; next < end;)
        {
            var page = await ReadPageAsync(next, end, cancellationToken);
            foreach (var leaf in page)
            {
                if (leaf.Index != next)
                    throw new LogRefusedException($"Leaf {next} is missing from the database, which has leaf {leaf.Index}.");
                next++;
                yield return leaf;
            }

            if (page.Count == 0)
                throw new LogRefusedException($"Leaf {next} is missing from the database, whose head says {end} leaves.");
        }
    }

    /// <summary>True when an event was appended longer than <paramref name="age"/> ago and is no leaf yet: the sequencer stands.</summary>
    public async Task<bool> IsBehindAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            select exists (
                select 1 from mt_events
                where seq_id > coalesce((select last_seq_id from log_head where id = 1), 0) and timestamp < now() - $1)
            """);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = age });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>The leaf of an event by its id, or null when it is not (yet) in the log.</summary>
    public async Task<LeafRow?> FindAsync(Guid eventId, CancellationToken cancellationToken)
    {
        await using var command = lookUps.CreateCommand(
            "select leaf_index, hash, bytes, detached from log_leaves where event_id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = eventId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Row(reader) : null;
    }

    /// <summary>The leaves that <paramref name="search"/> asks for, in the order of their indexes, reversed when it reads backward.</summary>
    public async Task<IReadOnlyList<LeafRow>> SearchAsync(LeafSearch search, CancellationToken cancellationToken)
    {
        // The events table only says which leaves are of the stream; what is answered are the stored bytes.
        await using var command = database.CreateCommand(
            "select leaf_index, hash, bytes, detached from log_leaves leaf where leaf_index > $1 and leaf_index < $2"
            + (search.Type is null ? "" : " and type = $4")
            + (search.Stream is null
                ? ""
                : $" and event_id in (select id from mt_events where stream_id = ${(search.Type is null ? 4 : 5)})")
            + $" order by leaf_index {(search.Backward ? "desc" : "asc")} limit $3");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = search.After });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = search.Before });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = search.Limit });
        foreach (var text in new[] { search.Type, search.Stream }.OfType<string>())
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = text });
        return await RowsAsync(command, cancellationToken);
    }

    /// <summary>Leaves from <paramref name="begin"/> up to and without <paramref name="end"/>, at most one page of them.</summary>
    public async Task<IReadOnlyList<LeafRow>> ReadPageAsync(long begin, long end, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "select leaf_index, hash, bytes, detached from log_leaves where leaf_index >= $1 and leaf_index < $2 order by leaf_index");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = begin });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Math.Min(end, begin + PageRows) });
        return await RowsAsync(command, cancellationToken);
    }

    /// <summary>
    /// The entries from <paramref name="begin"/> on, before <paramref name="end"/>: as many as fit into <paramref name="bytesMax"/>,
    /// the last of them may go over it. At least one.
    /// </summary>
    /// <exception cref="LogRefusedException">One is missing.</exception>
    public async Task<IReadOnlyList<byte[]>> ReadEntriesAsync(
        long begin, long end, int bytesMax, CancellationToken cancellationToken)
    {
        await using var command = lookUps.CreateCommand(
            """
            select leaf_index, bytes from (
                select leaf_index, bytes, sum(octet_length(bytes)) over (order by leaf_index) - octet_length(bytes) as before
                from log_leaves where leaf_index >= $1 and leaf_index < $2) page
            where before < $3 order by leaf_index
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = begin });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Math.Min(end, begin + PageRows) });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = bytesMax });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var page = new List<byte[]>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var index = await reader.GetFieldValueAsync<long>(0, cancellationToken);
            if (index != begin + page.Count)
                throw new LogRefusedException($"Leaf {begin + page.Count} is missing from the database, which has leaf {index}.");
            page.Add(await reader.GetFieldValueAsync<byte[]>(1, cancellationToken));
        }

        return page.Count > 0 ? page : throw new LogRefusedException($"Leaf {begin} is missing from the database.");
    }

    private static async Task<List<LeafRow>> RowsAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var page = new List<LeafRow>();
        while (await reader.ReadAsync(cancellationToken))
            page.Add(Row(reader));
        return page;
    }

    // The row is in memory once it was read.
#pragma warning disable CA1849, MA0042
    private static LeafRow Row(NpgsqlDataReader reader) => new(
        reader.GetInt64(0),
        new MerkleHash(reader.GetFieldValue<byte[]>(1)),
        reader.GetFieldValue<byte[]>(2),
        reader.IsDBNull(3) ? null : reader.GetFieldValue<byte[]>(3));
#pragma warning restore CA1849, MA0042
}
