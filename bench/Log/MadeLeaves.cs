using System.Globalization;
using Npgsql;

namespace Lumora.Bench.Log;

/// <summary>
/// Leaves that the database makes by itself, behind those that a host has written: transfers in the form of
/// <c>docs/leaf.md</c>, one stream, no events. They grow a log in minutes to a size that its events would take hours for.
/// </summary>
internal static class MadeLeaves
{
    private const int Step = 250_000;

    private const string Sql =
        """
        insert into log_leaves (leaf_index, seq_id, event_id, type, hash, bytes)
        select leaf_index, $3, event_id, 'transaction_posted', sha256('\x00'::bytea || bytes), bytes
        from (
            select leaf_index, event_id, convert_to(
                '{"at":"2026-01-01T00:00:00.000000Z","data":{"id":"' || event_id || '","kind":"transfer","postings":[{"amount":"1","asset":"LMR","from":"participant/participant_'
                || lpad((leaf_index % 10000)::text, 26, '0') || '/available","to":"participant/participant_' || lpad((leaf_index % 9973)::text, 26, '0')
                || '/available"}]},"id":"' || event_id || '","meta":{"actor":"system:bench","causation":null},"shard":"' || $4
                || '","stream":"made","type":"transaction_posted","v":1,"version":' || leaf_index + 1 || '}', 'UTF8') as bytes
            from (select i as leaf_index, md5('made' || i)::uuid as event_id from generate_series($1, $2 - 1) i) as made) as encoded
        """;

    /// <summary>Makes the log of the host's global shard <paramref name="size"/> leaves long. No host may run meanwhile.</summary>
    public static async Task FillAsync(string database, string shard, long size, TextWriter output, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database) { CommandTimeout = 600 });
        await using var head = source.CreateCommand("select size, last_seq_id from log_head where id = 1");
        await using var reader = await head.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var (begin, sequence) = (reader.GetInt64(0), reader.GetInt64(1));
        for (var next = begin; next < size; next += Step)
        {
            await using var insert = source.CreateCommand(Sql);
            insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = next });
            insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Math.Min(size, next + Step) });
            insert.Parameters.Add(new NpgsqlParameter<long> { TypedValue = sequence });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = shard });
            await insert.ExecuteNonQueryAsync(ct);
            if (next / 1_000_000 != (next + Step) / 1_000_000)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"({Math.Min(size, next + Step):#,##0} leaves made)"));
        }

        await using var move = source.CreateCommand("update log_head set size = $1 where id = 1");
        move.Parameters.Add(new NpgsqlParameter<long> { TypedValue = size });
        await move.ExecuteNonQueryAsync(ct);
        await using var analyze = source.CreateCommand("vacuum analyze log_leaves");
        await analyze.ExecuteNonQueryAsync(ct);
    }
}
