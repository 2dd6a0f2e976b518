using System.Text.Json.Serialization;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;

namespace Lumora.Domain.Datasets;

/// <summary>A column of a dataset.</summary>
/// <param name="Name">The field's name in every record.</param>
/// <param name="Type">
/// What it holds. In NDJSON numbers are text, so that none loses a digit; in Parquet an integer is INT64, a boolean BOOLEAN,
/// everything else UTF-8 (a number too: it is an exact decimal).
/// </param>
/// <param name="Required">True when each record has it.</param>
public sealed record DatasetColumn(
    string Name, [property: JsonConverter(typeof(WireEnumConverter<FieldType>))] FieldType Type, bool Required);

/// <summary>What a column's values look like; shown in the catalog.</summary>
/// <param name="Name">The column.</param>
/// <param name="Values">Records that have it.</param>
/// <param name="Missing">Records that lack it.</param>
/// <param name="LengthMax">Characters of the longest value; 0 for booleans.</param>
/// <param name="Min">The least integer, number or date; null for other types and empty columns.</param>
/// <param name="Max">The greatest integer, number or date.</param>
public sealed record ColumnStatistics(string Name, long Values, long Missing, int LengthMax, string? Min, string? Max);

/// <summary>The limits of one version.</summary>
public static class DatasetLimits
{
    /// <summary>Most records before deduplication.</summary>
    public const int RecordsMax = 2_000_000;

    /// <summary>Longest record in bytes of JSON.</summary>
    public const int RecordBytesMax = 8 * 1024 * 1024;

    /// <summary>Most bytes of NDJSON.</summary>
    public const long NdjsonBytesMax = 8L * 1024 * 1024 * 1024;

    /// <summary>Most rows of the public sample.</summary>
    public const int SampleRowsMax = 100;

    /// <summary>
    /// Rows of the public sample of a version of <paramref name="records"/> records: a tenth, so that a small dataset
    /// is not given away whole; at least 1, at most <see cref="SampleRowsMax"/>.
    /// </summary>
    public static int SampleRows(long records)
    {
        Check.That(records > 0);
        return (int)Math.Clamp(records / 10, 1, SampleRowsMax);
    }
}
