using Marten;
using Weasel.Core;
using Weasel.Postgresql.Tables;

namespace Lumora.Projections.Ledger;

/// <summary>Lays out what the ledger writes beside its journal; every row can be derived from the journal again.</summary>
public static class LedgerStore
{
    /// <summary>Adds the ledger's tables to the store's schema.</summary>
    public static void Configure(StoreOptions options)
    {
        foreach (var table in (Table[])[Fence(), Accounts(), Outcomes(), Entries()])
            options.Storage.ExtendedSchemaObjects.Add(table);
    }

    // One row: who moves it from the version it knows is the writer, and everybody else's cache is stale.
    private static Table Fence()
    {
        var table = Named("ledger_fence");
        table.AddColumn("shard", "text").NotNull().AsPrimaryKey();
        table.AddColumn("version", "bigint").NotNull();
        table.AddColumn("journal_version", "bigint").NotNull();
        table.AddColumn("account_count", "bigint").NotNull();
        table.AddColumn("at", "timestamp with time zone").NotNull();
        table.WithFillFactor(20);
        return table;
    }

    // Room on each page keeps an update of a balance on its page, without touching an index.
    private static Table Accounts()
    {
        var table = Named("ledger_account");
        table.AddColumn("number", "bigint").NotNull().AsPrimaryKey();
        table.AddColumn("code", "text").NotNull();
        table.AddColumn("asset", "text").NotNull();
        table.AddColumn("balance", "bigint").NotNull();
        table.AddColumn("held", "bigint").NotNull();
        table.AddColumn("floor", "bigint");
        table.AddColumn("status", "smallint").NotNull();
        table.AddColumn("version", "bigint").NotNull();
        table.Indexes.Add(new IndexDefinition("ledger_account_code") { Columns = ["code", "asset"], IsUnique = true });
        ((ITable)table).AddCheckConstraint("ledger_account_floor", "((balance)::numeric - (held)::numeric) >= (floor)::numeric");
        ((ITable)table).AddCheckConstraint("ledger_account_held", "held >= 0");
        table.WithFillFactor(50);
        return table;
    }

    private static Table Outcomes()
    {
        var table = Named("ledger_outcome");
        table.AddColumn("actor", "text").NotNull().AsPrimaryKey();
        table.AddColumn("key", "text").NotNull().AsPrimaryKey();
        table.AddColumn("digest", "bytea").NotNull();
        table.AddColumn("journal_version", "bigint").NotNull();
        table.AddColumn("at", "timestamp with time zone").NotNull();
        table.AddColumn("code", "text");
        table.AddColumn("field", "text");
        return table;
    }

    private static Table Entries()
    {
        var table = Named("ledger_entry");
        table.AddColumn("account", "bigint").NotNull().AsPrimaryKey();
        table.AddColumn("journal_version", "bigint").NotNull().AsPrimaryKey();
        table.AddColumn("line", "smallint").NotNull().AsPrimaryKey();
        table.AddColumn("amount", "bigint").NotNull();
        table.AddColumn("balance", "bigint").NotNull();
        return table;
    }

    private static Table Named(string name) => new($"public.{name}");
}
