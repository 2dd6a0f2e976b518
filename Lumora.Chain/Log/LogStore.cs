using Marten;
using Weasel.Postgresql.Tables;

namespace Lumora.Chain.Log;

/// <summary>The log's tables, in each shard's own database, and the statements that write them.</summary>
public static class LogStore
{
    /// <summary>A notification on this channel says that leaves were committed.</summary>
    public const string Channel = "lumora_log";

    /// <summary>
    /// Takes the head's row first, so that one appender at a time gives out indexes.
    /// </summary>
    internal const string LockHead = "select size from log_head where id = 1 for update";

    /// <summary>
    /// Dense indexes from the head's size on, in the order of the page's ordinals, which is that of the sequence. Events at or
    /// below the head's sequence are in the log already: a rewound subscription brings them a second time.
    /// </summary>
    internal const string InsertLeaves = InsertKnown + "?" + InsertRows + "?, ?, ?, ?, ?, ?, ?" + InsertNew;

    /// <summary>The same with numbered parameters.</summary>
    internal const string InsertLeavesNumbered = InsertKnown + "$1" + InsertRows + "$2, $3, $4, $5, $6, $7, $8" + InsertNew;

    private const string InsertKnown =
        """
        with head as materialized (
            select size, last_seq_id, (select count(*) from unnest(
        """;

    private const string InsertRows =
        """
        ) as known where known <= last_seq_id) as known from log_head where id = 1)
        insert into log_leaves (leaf_index, seq_id, event_id, type, hash, bytes, detached)
        select head.size + leaf.ordinal - head.known, leaf.seq_id, leaf.event_id, leaf.type, leaf.hash, leaf.bytes, leaf.detached
        from unnest(
        """;

    private const string InsertNew =
        """
        ) as leaf (ordinal, seq_id, event_id, type, hash, bytes, detached), head
        where leaf.seq_id > head.last_seq_id
        """;

    /// <summary>Moves the head behind the new leaves.</summary>
    internal const string MoveHead =
        """
        update log_head head
        set size = leaves.size, last_seq_id = greatest(head.last_seq_id, leaves.last_seq_id)
        from (select leaf_index + 1 as size, seq_id as last_seq_id from log_leaves order by leaf_index desc limit 1) leaves
        where head.id = 1
        """;

    /// <summary>Wakes the publisher at the commit.</summary>
    internal const string Notify = $"notify {Channel}";

    /// <summary>The first row of the head; made by whoever comes first.</summary>
    internal const string CreateHead =
        "insert into log_head (id, size, last_seq_id) values (1, 0, 0) on conflict (id) do nothing";

    /// <summary>Adds the log's tables to the store's schema.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Storage.ExtendedSchemaObjects.Add(Head());
        options.Storage.ExtendedSchemaObjects.Add(Leaves());
    }

    private static Table Head()
    {
        var table = new Table("log_head");
        table.AddColumn("id", "integer").AsPrimaryKey();
        table.AddColumn("size", "bigint").NotNull();
        table.AddColumn("last_seq_id", "bigint").NotNull();
        return table;
    }

    private static Table Leaves()
    {
        var table = new Table("log_leaves");
        table.AddColumn("leaf_index", "bigint").AsPrimaryKey();
        table.AddColumn("seq_id", "bigint").NotNull();
        table.AddColumn("event_id", "uuid").NotNull();
        table.AddColumn("type", "text").NotNull();
        table.AddColumn("hash", "bytea").NotNull();
        table.AddColumn("bytes", "bytea").NotNull();
        table.AddColumn("detached", "bytea");
        table.Indexes.Add(new IndexDefinition("log_leaves_event_id") { Columns = ["event_id"], IsUnique = true });
        table.Indexes.Add(new IndexDefinition("log_leaves_type") { Columns = ["type", "leaf_index"] });
        return table;
    }
}
