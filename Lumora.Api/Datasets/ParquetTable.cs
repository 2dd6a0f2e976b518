using System.Globalization;
using System.Text.Json;
using Lumora.Api.Tasks;
using Lumora.Domain.Datasets;
using Lumora.Domain.Tasks;
using Parquet;
using Parquet.Schema;

namespace Lumora.Api.Datasets;

/// <summary>
/// Writes normalised NDJSON as Parquet with zstd, one row group at a time, so that memory holds one group. Every
/// column is optional: "no value" is not "empty".
/// </summary>
internal static class ParquetTable
{
    private const int GroupRowsMax = 20_000;
    private const long GroupBytesMax = 64 * 1024 * 1024;

    /// <summary>Reads <paramref name="ndjson"/> to its end and writes <paramref name="destination"/>.</summary>
    /// <returns>Rows written.</returns>
    public static async Task<long> WriteAsync(
        IReadOnlyList<DatasetColumn> columns, Stream ndjson, Stream destination, CancellationToken cancellationToken)
    {
        var fields = columns.Select(FieldOf).ToArray();
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd };
        await using var writer = await ParquetWriter.CreateAsync(
            new ParquetSchema(fields), destination, options, cancellationToken: cancellationToken);
        var rows = new List<JsonElement>();
        var (bytes, total) = (0L, 0L);
        await foreach (var line in NdjsonLines.ReadAsync(ndjson, cancellationToken))
        {
            rows.Add(JsonElement.Parse(line.Span));
            bytes += line.Length;
            if (rows.Count < GroupRowsMax && bytes < GroupBytesMax)
                continue;
            total += await WriteGroupAsync(writer, columns, fields, rows);
            rows.Clear();
            bytes = 0;
        }

        if (rows.Count > 0)
            total += await WriteGroupAsync(writer, columns, fields, rows);
        return total;
    }

    private static DataField FieldOf(DatasetColumn column) => new(column.Name, column.Type switch
    {
        FieldType.Integer => typeof(long),
        FieldType.Boolean => typeof(bool),
        _ => typeof(string),
    }, isNullable: true);

    private static async Task<int> WriteGroupAsync(
        ParquetWriter writer, IReadOnlyList<DatasetColumn> columns, DataField[] fields, List<JsonElement> rows)
    {
        using var group = writer.CreateRowGroup();
        for (var i = 0; i < fields.Length; i++)
        {
            var name = columns[i].Name;
            switch (columns[i].Type)
            {
                case FieldType.Integer:
                    await group.WriteAsync<long>(fields[i], Values(rows, name, ReadInteger));
                    break;
                case FieldType.Boolean:
                    await group.WriteAsync<bool>(fields[i], Values(rows, name, value => (bool?)value.GetBoolean()));
                    break;
                default:
                    await group.WriteAsync(fields[i], Texts(rows, name));
                    break;
            }
        }

        group.CompleteValidate();
        return rows.Count;
    }

    private static long? ReadInteger(JsonElement value) => long.Parse(value.GetString()!, CultureInfo.InvariantCulture);

    private static ReadOnlyMemory<T?> Values<T>(List<JsonElement> rows, string name, Func<JsonElement, T?> read)
        where T : struct =>
        rows.Select(row => row.TryGetProperty(name, out var value) ? read(value) : null).ToArray();

    // The library takes nulls in an optional text column, though its signature does not say so.
    private static string[] Texts(List<JsonElement> rows, string name) =>
        rows.Select(row => row.TryGetProperty(name, out var value) ? value.GetString()! : null!).ToArray();
}
