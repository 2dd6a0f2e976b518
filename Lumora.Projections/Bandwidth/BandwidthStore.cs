using JasperFx.Events;
using JasperFx.Events.Projections;
using Lumora.Domain.Bandwidth;
using Marten;
using Marten.Events.Projections;
using Weasel.Postgresql.Tables;

namespace Lumora.Projections.Bandwidth;

/// <summary>The table of contributions: one row per lease, with the epoch that pays it.</summary>
public static class BandwidthStore
{
    /// <summary>Adds the slice to the store.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Projections.Add(new ContributionTable(), ProjectionLifecycle.Inline);
        var table = new Table("bandwidth_contribution");
        table.AddColumn("contribution_id", "text").AsPrimaryKey();
        table.AddColumn("node_id", "text").NotNull();
        table.AddColumn("owner", "text").NotNull();
        table.AddColumn("task_id", "text").NotNull();
        table.AddColumn("lease_id", "text").NotNull();
        table.AddColumn("collection_id", "text").NotNull();
        table.AddColumn("epoch", "bigint").NotNull();
        table.AddColumn("pages", "integer").NotNull();
        table.AddColumn("bytes", "bigint").NotNull();
        table.AddColumn("receipt_hash", "text").NotNull();
        table.AddColumn("recorded_at", "timestamp with time zone").NotNull();
        table.Indexes.Add(
            new IndexDefinition("ux_bandwidth_contribution_lease") { Columns = ["lease_id"], IsUnique = true });
        table.Indexes.Add(new IndexDefinition("ix_bandwidth_contribution_epoch") { Columns = ["epoch"] });
        table.Indexes.Add(
            new IndexDefinition("ix_bandwidth_contribution_owner") { Columns = ["owner", "contribution_id"] });
        options.Storage.ExtendedSchemaObjects.Add(table);
    }
}

/// <summary>Fills <c>bandwidth_contribution</c> in the transaction of the acceptance.</summary>
public sealed class ContributionTable : IProjection
{
    /// <inheritdoc/>
    public Task ApplyAsync(
        IDocumentOperations operations, IReadOnlyList<IEvent> events, CancellationToken cancellation)
    {
        foreach (var e in events.Select(e => e.Data).OfType<ContributionRecorded>())
        {
            operations.QueueSqlCommand(
                "insert into bandwidth_contribution (contribution_id, node_id, owner, task_id, lease_id, collection_id, "
                + "epoch, pages, bytes, receipt_hash, recorded_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                e.ContributionId, e.NodeId, e.Owner, e.TaskId, e.LeaseId, e.CollectionId, e.Epoch, e.Pages, e.Bytes,
                e.ReceiptHash, e.RecordedAt);
        }

        return Task.CompletedTask;
    }
}
