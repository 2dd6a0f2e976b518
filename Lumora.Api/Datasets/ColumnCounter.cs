using System.Globalization;
using System.Text.Json;
using Lumora.Domain.Datasets;
using Lumora.Domain.Tasks;

namespace Lumora.Api.Datasets;

/// <summary>Collects a column's statistics, one record after the other.</summary>
/// <param name="column">The column.</param>
internal sealed class ColumnCounter(DatasetColumn column)
{
    private long values;
    private long missing;
    private int lengthMax;
    private string? min;
    private string? max;

    /// <summary>Counts one normalised record.</summary>
    public void Add(JsonElement record)
    {
        if (!record.TryGetProperty(column.Name, out var value))
        {
            missing++;
            return;
        }

        values++;
        if (value.ValueKind != JsonValueKind.String)
            return;
        var text = value.GetString()!;
        lengthMax = Math.Max(lengthMax, text.Length);
        if (column.Type is not (FieldType.Integer or FieldType.Number or FieldType.Date))
            return;
        min = min is null || Compare(text, min) < 0 ? text : min;
        max = max is null || Compare(text, max) > 0 ? text : max;
    }

    /// <summary>What was counted.</summary>
    public ColumnStatistics Result() => new(column.Name, values, missing, lengthMax, min, max);

    private int Compare(string a, string b) => column.Type switch
    {
        FieldType.Integer => Parse(a, b, text => long.Parse(text, CultureInfo.InvariantCulture)),
        FieldType.Number => Parse(a, b, text => decimal.Parse(text, CultureInfo.InvariantCulture)),
        // ISO 8601 orders as text.
        _ => string.CompareOrdinal(a, b),
    };

    private static int Parse<T>(string a, string b, Func<string, T> parse) where T : IComparable<T> =>
        parse(a).CompareTo(parse(b));
}
