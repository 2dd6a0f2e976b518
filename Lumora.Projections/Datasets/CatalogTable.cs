using JasperFx.Events;
using Lumora.Domain.Datasets;
using Marten;
using Marten.Events.Projections;
using Weasel.Postgresql.Tables;

namespace Lumora.Projections.Datasets;

/// <summary>
/// The table that the catalog is searched in, <c>catalog_dataset</c>: one row for each dataset with a version, written
/// in the transaction of its events. <c>search</c> weighs the title above the topic above the description.
/// </summary>
public sealed class CatalogTable : IProjection
{
    /// <summary>The table's name.</summary>
    public const string Name = "catalog_dataset";

    /// <summary>The text search configuration, for writing and for asking.</summary>
    public const string Language = "english";

    private const string Upsert =
        $"insert into {Name} (dataset_id, published_at, topic, licence, records, bytes, listed, price, search) "
        + "values (?, ?, ?, ?, ?, ?, false, 0, "
        + $"setweight(to_tsvector('{Language}', ?), 'A') || setweight(to_tsvector('{Language}', ?), 'B') "
        + $"|| setweight(to_tsvector('{Language}', ?), 'C')) "
        + "on conflict (dataset_id) do update set published_at = excluded.published_at, topic = excluded.topic, "
        + "licence = excluded.licence, records = excluded.records, bytes = excluded.bytes, search = excluded.search";

    /// <inheritdoc/>
    public Task ApplyAsync(IDocumentOperations operations, IReadOnlyList<IEvent> events, CancellationToken cancellation)
    {
        foreach (var e in events)
            Apply(operations, e.Data);
        return Task.CompletedTask;
    }

    /// <summary>The table.</summary>
    internal static Table Table()
    {
        var table = new Table(Name);
        table.AddColumn("dataset_id", "text").AsPrimaryKey();
        table.AddColumn("published_at", "timestamp with time zone").NotNull();
        table.AddColumn("topic", "text").NotNull();
        table.AddColumn("licence", "text").NotNull();
        table.AddColumn("records", "bigint").NotNull();
        table.AddColumn("bytes", "bigint").NotNull();
        table.AddColumn("listed", "boolean").NotNull();
        table.AddColumn("price", "bigint").NotNull();
        table.AddColumn("search", "tsvector").NotNull();
        table.Indexes.Add(new IndexDefinition("ix_catalog_dataset_published") { Columns = ["published_at", "dataset_id"] });
        table.Indexes.Add(new IndexDefinition("ix_catalog_dataset_topic") { Columns = ["topic", "published_at"] });
        table.Indexes.Add(new IndexDefinition("ix_catalog_dataset_search") { Columns = ["search"], Method = IndexMethod.gin });
        return table;
    }

    private static void Apply(IDocumentOperations db, object @event)
    {
        switch (@event)
        {
            case DatasetVersionPublished e:
                db.QueueSqlCommand(
                    Upsert, e.DatasetId, e.At, e.Topic, e.Licence, e.Records, e.Files.Sum(file => file.Bytes), e.Title,
                    e.Topic, e.Description);
                break;
            case DatasetListed e:
                SetPrice(db, e.DatasetId, e.Price.Units);
                break;
            case DatasetPriceChanged e:
                SetPrice(db, e.DatasetId, e.To.Units);
                break;
            case DatasetUnlisted e:
                db.QueueSqlCommand($"update {Name} set listed = false where dataset_id = ?", e.DatasetId);
                break;
        }
    }

    private static void SetPrice(IDocumentOperations db, string datasetId, long units) =>
        db.QueueSqlCommand($"update {Name} set listed = true, price = ? where dataset_id = ?", units, datasetId);
}
