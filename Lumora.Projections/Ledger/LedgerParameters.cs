using Npgsql;
using NpgsqlTypes;

namespace Lumora.Projections.Ledger;

/// <summary>Sets of rows as parameters: one array for each column, for <c>unnest</c>.</summary>
internal static class LedgerParameters
{
    public static void Add(this NpgsqlBatch batch, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        batch.BatchCommands.Add(command);
    }

    public static NpgsqlParameter Text(string value) => new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    public static NpgsqlParameter Long(long value) => new NpgsqlParameter<long> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    public static NpgsqlParameter Time(DateTimeOffset value) =>
        new NpgsqlParameter<DateTimeOffset> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    public static NpgsqlParameter Texts<T>(IReadOnlyCollection<T> rows, Func<T, string?> column) =>
        Array(rows, column, NpgsqlDbType.Text);

    public static NpgsqlParameter Longs<T>(IReadOnlyCollection<T> rows, Func<T, long> column) =>
        Array(rows, column, NpgsqlDbType.Bigint);

    public static NpgsqlParameter Shorts<T>(IReadOnlyCollection<T> rows, Func<T, short> column) =>
        Array(rows, column, NpgsqlDbType.Smallint);

    public static NpgsqlParameter Times<T>(IReadOnlyCollection<T> rows, Func<T, DateTimeOffset> column) =>
        Array(rows, column, NpgsqlDbType.TimestampTz);

    public static NpgsqlParameter Uuids<T>(IReadOnlyCollection<T> rows, Func<T, Guid> column) =>
        Array(rows, column, NpgsqlDbType.Uuid);

    public static NpgsqlParameter Array<T, TColumn>(
        IReadOnlyCollection<T> rows, Func<T, TColumn> column, NpgsqlDbType type)
    {
        var values = new TColumn[rows.Count];
        var index = 0;
        foreach (var row in rows)
            values[index++] = column(row);
        return new NpgsqlParameter<TColumn[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
    }
}
