using JasperFx.Events;
using JasperFx.Events.Projections;
using Lumora.Domain.Rewards;
using Lumora.Projections.EventStore;
using Marten;
using Marten.Events.Projections;
using Weasel.Postgresql.Tables;

namespace Lumora.Projections.Rewards;

/// <summary>The tables of closed epochs: their sums, their pools without a claim, and what each provider got.</summary>
public static class RewardsStore
{
    /// <summary>Adds the slice to the store.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Projections.Add(new LiveState<EpochState>(EpochState.Evolve), ProjectionLifecycle.Live);
        options.Projections.Add(new EpochTables(), ProjectionLifecycle.Inline);
        options.Storage.ExtendedSchemaObjects.Add(Epochs());
        options.Storage.ExtendedSchemaObjects.Add(Allocations());
        options.Storage.ExtendedSchemaObjects.Add(Unallocated());
        options.Storage.ExtendedSchemaObjects.Add(CloseKeys());
    }

    // Idempotency keys of closes: scoped to the actor, kept for ever.
    private static Table CloseKeys()
    {
        var table = new Table("reward_close_key");
        table.AddColumn("actor", "text").AsPrimaryKey();
        table.AddColumn("key", "text").AsPrimaryKey();
        table.AddColumn("epoch", "bigint").NotNull();
        return table;
    }

    private static Table Epochs()
    {
        var table = new Table("reward_epoch");
        table.AddColumn("epoch", "bigint").AsPrimaryKey();
        table.AddColumn("emission", "bigint").NotNull();
        table.AddColumn("work_pool", "bigint").NotNull();
        table.AddColumn("paid", "bigint").NotNull();
        table.AddColumn("unallocated", "bigint").NotNull();
        table.AddColumn("providers", "integer").NotNull();
        table.AddColumn("contributions", "integer").NotNull();
        table.AddColumn("nodes", "integer").NotNull();
        table.AddColumn("bytes", "bigint").NotNull();
        table.AddColumn("input_root", "text").NotNull();
        table.AddColumn("reward_root", "text");
        table.AddColumn("closed_by", "text").NotNull();
        table.AddColumn("reason", "text").NotNull();
        table.AddColumn("sealed_at", "timestamp with time zone").NotNull();
        table.AddColumn("paid_at", "timestamp with time zone");
        return table;
    }

    private static Table Allocations()
    {
        var table = new Table("reward_allocation");
        table.AddColumn("epoch", "bigint").AsPrimaryKey();
        table.AddColumn("provider", "text").AsPrimaryKey();
        table.AddColumn("nodes", "integer").NotNull();
        table.AddColumn("bytes", "bigint").NotNull();
        table.AddColumn("weight", "text").NotNull();
        table.AddColumn("amount", "bigint").NotNull();
        table.AddColumn("input_root", "text").NotNull();
        table.Indexes.Add(
            new IndexDefinition("ix_reward_allocation_provider") { Columns = ["provider", "epoch"] });
        return table;
    }

    private static Table Unallocated()
    {
        var table = new Table("reward_unallocated");
        table.AddColumn("epoch", "bigint").AsPrimaryKey();
        table.AddColumn("pool", "text").AsPrimaryKey();
        table.AddColumn("amount", "bigint").NotNull();
        table.AddColumn("reason", "text").NotNull();
        return table;
    }
}

/// <summary>Fills the tables of closed epochs in the transaction of the close.</summary>
public sealed class EpochTables : IProjection
{
    /// <inheritdoc/>
    public Task ApplyAsync(
        IDocumentOperations operations, IReadOnlyList<IEvent> events, CancellationToken cancellation)
    {
        foreach (var e in events)
            Apply(operations, e.Data);
        return Task.CompletedTask;
    }

    private static void Apply(IDocumentOperations db, object @event)
    {
        switch (@event)
        {
            case EpochInputsSealed e:
                db.QueueSqlCommand(
                    "insert into reward_epoch (epoch, emission, work_pool, paid, unallocated, providers, contributions, "
                    + "nodes, bytes, input_root, closed_by, reason, sealed_at) "
                    + "values (?, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?)",
                    e.Epoch, e.Emission.Units, e.WorkPool.Units, e.Contributions, e.Nodes, e.Bytes, e.InputRoot,
                    e.ClosedBy, e.Reason, e.SealedAt);
                break;
            case RewardsAllocated e:
                Allocate(db, e);
                break;
            case PoolUnallocated e:
                db.QueueSqlCommand(
                    "insert into reward_unallocated (epoch, pool, amount, reason) values (?, ?, ?, ?)",
                    e.Epoch, e.Pool, e.Amount.Units, e.Reason);
                break;
            case EpochRewardsComputed e:
                db.QueueSqlCommand(
                    "update reward_epoch set paid = ?, unallocated = ?, providers = ?, reward_root = ? where epoch = ?",
                    e.Paid.Units, e.Unallocated.Units, e.Providers, e.RewardRoot, e.Epoch);
                break;
            case EpochPaid e:
                db.QueueSqlCommand("update reward_epoch set paid_at = ? where epoch = ?", e.PaidAt, e.Epoch);
                break;
        }
    }

    private static void Allocate(IDocumentOperations db, RewardsAllocated e)
    {
        var rows = e.Allocations;
        db.QueueSqlCommand(
            "insert into reward_allocation (epoch, provider, nodes, bytes, weight, amount, input_root) "
            + "select ?, * from unnest(?, ?, ?, ?, ?, ?)",
            e.Epoch, rows.Select(row => row.Provider).ToArray(), rows.Select(row => row.Nodes).ToArray(),
            rows.Select(row => row.Bytes).ToArray(), rows.Select(row => row.Weight).ToArray(),
            rows.Select(row => row.Amount.Units).ToArray(), rows.Select(row => row.InputRoot).ToArray());
    }
}
