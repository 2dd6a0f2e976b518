using JasperFx.Events.Projections;
using Lumora.Domain.Tasks;
using Lumora.Projections.EventStore;
using Marten;
using Weasel.Postgresql.Tables;

namespace Lumora.Projections.Tasks;

/// <summary>
/// The tables and views of collections, tasks and leases. <c>work_task</c> is the queue (one row per task),
/// <c>work_lease</c> the history (one row per lease), <c>work_host_slot</c> the politeness slots of each host.
/// </summary>
public static class TasksStore
{
    /// <summary>Leases that may be open on one host at a time: this many rows of <c>work_host_slot</c>.</summary>
    public const int SlotsPerHost = 4;

    /// <summary>Adds the slice to the store.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Projections.Add(new LiveState<TaskState>(TaskState.Evolve), ProjectionLifecycle.Live);
        options.Projections.Add(new LiveState<CollectionState>(CollectionState.Evolve), ProjectionLifecycle.Live);
        options.Projections.Add(new TaskTables(), ProjectionLifecycle.Inline);
        options.Projections.Add(new CollectionViewProjection(), ProjectionLifecycle.Inline);
        options.Storage.ExtendedSchemaObjects.Add(Tasks());
        options.Storage.ExtendedSchemaObjects.Add(Leases());
        options.Storage.ExtendedSchemaObjects.Add(Slots());
    }

    private static Table Tasks()
    {
        var table = new Table("work_task");
        table.AddColumn("task_id", "text").AsPrimaryKey();
        table.AddColumn("collection_id", "text").NotNull();
        table.AddColumn("host", "text").NotNull();
        table.AddColumn("phase", "text").NotNull();
        table.AddColumn("pages", "integer").NotNull();
        table.AddColumn("attempts", "integer").NotNull();
        table.AddColumn("available_at", "timestamp with time zone").NotNull();
        table.AddColumn("deadline", "timestamp with time zone");
        table.AddColumn("lease_id", "text");
        table.AddColumn("node_id", "text");
        table.AddColumn("records", "integer").NotNull();
        table.AddColumn("reason", "text");
        table.AddColumn("content_root", "text");
        table.AddColumn("ciphertext_sha256", "text");
        table.AddColumn("receipt_hash", "text");
        table.AddColumn("result_id", "text");
        table.AddColumn("accepted_at", "timestamp with time zone");
        table.Indexes.Add(new IndexDefinition("ix_work_task_queue") { Columns = ["phase", "available_at"] });
        table.Indexes.Add(new IndexDefinition("ix_work_task_deadline") { Columns = ["phase", "deadline"] });
        table.Indexes.Add(new IndexDefinition("ix_work_task_collection") { Columns = ["collection_id", "task_id"] });
        return table;
    }

    private static Table Leases()
    {
        var table = new Table("work_lease");
        table.AddColumn("lease_id", "text").AsPrimaryKey();
        table.AddColumn("task_id", "text").NotNull();
        table.AddColumn("node_id", "text").NotNull();
        table.AddColumn("state", "text").NotNull();
        table.AddColumn("leased_at", "timestamp with time zone").NotNull();
        table.AddColumn("deadline", "timestamp with time zone").NotNull();
        table.AddColumn("ended_at", "timestamp with time zone");
        table.AddColumn("bytes", "bigint").NotNull();
        table.AddColumn("records", "integer").NotNull();
        table.AddColumn("code", "text");
        table.AddColumn("detail", "text");
        table.Indexes.Add(new IndexDefinition("ix_work_lease_node") { Columns = ["node_id", "leased_at"] });
        table.Indexes.Add(new IndexDefinition("ix_work_lease_task") { Columns = ["task_id"] });
        return table;
    }

    private static Table Slots()
    {
        var table = new Table("work_host_slot");
        table.AddColumn("host", "text").AsPrimaryKey();
        table.AddColumn("slot", "integer").AsPrimaryKey();
        table.AddColumn("lease_id", "text");
        table.Indexes.Add(new IndexDefinition("ix_work_host_slot_lease") { Columns = ["lease_id"] });
        return table;
    }
}
