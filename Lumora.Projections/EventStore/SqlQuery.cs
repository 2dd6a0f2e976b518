using Npgsql;
using NpgsqlTypes;

namespace Lumora.Projections.EventStore;

/// <summary>
/// A statement with its parameters, so that the tests of plans explain what the code runs. No value is null: whether a
/// condition applies is another statement, or the planner would have to plan for both.
/// </summary>
/// <param name="Sql">One statement; parameters are $1, $2, ….</param>
/// <param name="Values">Texts, 64-bit numbers, times, byte strings, or arrays of texts or 64-bit numbers.</param>
internal sealed record SqlQuery(string Sql, params object[] Values)
{
    /// <summary>The first row, read by <paramref name="read"/>; null when there is none.</summary>
    public async Task<T?> FirstAsync<T>(NpgsqlDataSource source, Func<NpgsqlDataReader, T?> read, CancellationToken ct)
        where T : class
    {
        await using var command = On(source);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? read(reader) : null;
    }

    /// <summary>All rows, each read by <paramref name="read"/>; the statement limits them.</summary>
    public async Task<IReadOnlyList<T>> AllAsync<T>(
        NpgsqlDataSource source, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        await using var command = On(source);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<T>();
        while (await reader.ReadAsync(ct))
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The statement, ready to run; for who reads it row by row.</summary>
    public NpgsqlCommand On(NpgsqlDataSource source)
    {
        var command = source.CreateCommand(Sql);
        foreach (var value in Values)
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = TypeOf(value) });
        return command;
    }

    private static NpgsqlDbType TypeOf(object value) => value switch
    {
        string => NpgsqlDbType.Text,
        long => NpgsqlDbType.Bigint,
        Guid => NpgsqlDbType.Uuid,
        byte[] => NpgsqlDbType.Bytea,
        DateTimeOffset => NpgsqlDbType.TimestampTz,
        string[] => NpgsqlDbType.Array | NpgsqlDbType.Text,
        long[] => NpgsqlDbType.Array | NpgsqlDbType.Bigint,
        _ => throw new ArgumentOutOfRangeException(nameof(value), value.GetType().Name, "no type of a column"),
    };
}
