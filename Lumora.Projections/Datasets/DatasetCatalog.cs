using Lumora.Domain.Datasets;
using Lumora.Domain.Kernel;
using Lumora.Projections.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace Lumora.Projections.Datasets;

/// <summary>What to look for; what is null does not matter.</summary>
/// <param name="Text">Words as one types them: <c>"exact phrase"</c>, <c>or</c>, <c>-without</c>.</param>
/// <param name="Topic">Exactly this topic.</param>
/// <param name="Licence">Exactly this SPDX identifier.</param>
/// <param name="PriceMax">At most this price.</param>
public sealed record CatalogSearch(string? Text, string? Topic, string? Licence, Amount? PriceMax);

/// <summary>A row of the catalog with the key that it is ordered by.</summary>
/// <param name="Key">Publication time and dataset id: unique and stable.</param>
/// <param name="Dataset">The dataset.</param>
public sealed record CatalogRow(string Key, DatasetView Dataset);

/// <summary>Searches datasets on sale, newest first.</summary>
public sealed class DatasetCatalog(ShardSessions sessions)
{
    /// <summary>Longest search text in characters.</summary>
    public const int TextLengthMax = 200;

    /// <summary>
    /// Rows that match <paramref name="search"/> between two keys (exclusive), newest first; oldest first when
    /// <paramref name="backward"/>.
    /// </summary>
    public async Task<IReadOnlyList<CatalogRow>> SearchAsync(
        CatalogSearch search, string? after, string? before, bool backward, int take, CancellationToken ct)
    {
        var keys = await ReadKeysAsync(search, after, before, backward, take, ct);
        await using var session = sessions.Query(ShardRole.Global);
        var views = (await session.LoadManyAsync<DatasetView>(ct, [.. keys.Select(row => Dataset.StreamOf(row.DatasetId))]))
            .ToDictionary(view => view.DatasetId, StringComparer.Ordinal);
        return [.. keys.Where(row => views.ContainsKey(row.DatasetId)).Select(row => new CatalogRow(row.Key, views[row.DatasetId]))];
    }

    private async Task<List<(string Key, string DatasetId)>> ReadKeysAsync(
        CatalogSearch search, string? after, string? before, bool backward, int take, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Global).CreateCommand();
        var where = new List<string> { "listed" };
        if (search.Text is { Length: > 0 } text)
            Filter($"search @@ websearch_to_tsquery('{CatalogTable.Language}', ${{0}})", text);
        if (search.Topic is { } topic)
            Filter("topic = ${0}", topic);
        if (search.Licence is { } licence)
            Filter("licence = ${0}", licence);
        if (search.PriceMax is { } price)
            Filter("price <= ${0}", price.Units);
        Between(after, "<");
        Between(before, ">");
        var order = backward ? "asc" : "desc";
        command.Parameters.Add(new NpgsqlParameter { Value = take });
        command.CommandText =
            $"select published_at, dataset_id from {CatalogTable.Name} where {string.Join(" and ", where)} "
            + $"order by published_at {order}, dataset_id {order} limit ${command.Parameters.Count}";

        var rows = new List<(string, string)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var id = reader.GetString(1);
            rows.Add(($"{reader.GetFieldValue<DateTimeOffset>(0).ToWire()}/{id}", id));
        }

        return rows;

        void Filter(string clause, object value)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
            where.Add(clause.Replace("{0}", $"{command.Parameters.Count}", StringComparison.Ordinal));
        }

        void Between(string? key, string comparison)
        {
            if (key?.Split('/') is not [var at, var id] || !DateTimeOffset.TryParse(
                    at, System.Globalization.CultureInfo.InvariantCulture, out var time))
                return;
            command.Parameters.Add(new NpgsqlParameter { Value = time, NpgsqlDbType = NpgsqlDbType.TimestampTz });
            command.Parameters.Add(new NpgsqlParameter { Value = id });
            where.Add($"(published_at, dataset_id) {comparison} (${command.Parameters.Count - 1}, ${command.Parameters.Count})");
        }
    }
}
