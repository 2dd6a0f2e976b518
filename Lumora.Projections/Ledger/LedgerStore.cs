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
        foreach (var table in Tables())
            options.Storage.ExtendedSchemaObjects.Add(table);
        options.Storage.ExtendedSchemaObjects.Add(LedgerLease.Table());
    }

    /// <summary>The tables, new ones with each call.</summary>
    internal static Table[] Tables() =>
        [Fence(), Accounts(), Outcomes(), Entries(), Holds(), Reversals(), RollUps(), Times()];

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
        table.AddColumn("held", "bigint").NotNull();
        table.AddColumn("floor", "bigint");
        table.AddColumn("status", "smallint").NotNull();
        // What a transaction changes comes last: the log of an update leaves out what a row begins with as before.
        table.AddColumn("balance", "bigint").NotNull();
        table.AddColumn("version", "bigint").NotNull();
        // The asset first: of one that few accounts have, a list reads those and not all the others between them. By bytes: codes
        // below a prefix are one range of the index whatever the database's collation, and equality needs none.
        table.Indexes.Add(new IndexDefinition("ledger_account_code")
        {
            Columns = ["asset", "code text_pattern_ops"],
            IsUnique = true,
        });
        // Where the difference leaves 64 bits it is below every floor, and PostgreSQL refuses it as well.
        ((ITable)table).AddCheckConstraint("ledger_account_floor", "(floor IS NULL) OR ((balance - held) >= floor)");
        ((ITable)table).AddCheckConstraint("ledger_account_held", "held >= 0");
        table.WithFillFactor(50);
        return table;
    }

    // The journal's index: what answers a repeated request, and what a search by kind or reference starts from. Its key is
    // of fixed size (OutcomeId), so that the one index with a random order stays small.
    private static Table Outcomes()
    {
        var table = Named("ledger_outcome");
        table.AddColumn("id", "uuid").NotNull().AsPrimaryKey();
        table.AddColumn("journal_version", "bigint").NotNull();
        table.AddColumn("at", "timestamp with time zone").NotNull();
        table.AddColumn("digest", "bytea").NotNull();
        table.AddColumn("code", "text");
        table.AddColumn("field", "text");
        table.AddColumn("kind", "text");
        table.AddColumn("reference_type", "text");
        table.AddColumn("reference_id", "text");
        table.Indexes.Add(new IndexDefinition("ledger_outcome_kind")
        {
            Columns = ["kind", "journal_version"],
            Predicate = "kind is not null",
        });
        table.Indexes.Add(new IndexDefinition("ledger_outcome_reference")
        {
            Columns = ["reference_type", "reference_id", "journal_version"],
            Predicate = "reference_type is not null",
        });
        // When an account was opened: what was asked then follows from its code. Transactions are not in it.
        table.Indexes.Add(new IndexDefinition("ledger_outcome_opening")
        {
            Columns = ["digest"],
            Predicate = "kind is null and code is null",
        });
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

    private static Table Holds()
    {
        var table = Named("ledger_hold");
        table.AddColumn("number", "bigint").NotNull().AsPrimaryKey();
        table.AddColumn("maker", "text").NotNull();
        table.AddColumn("account", "bigint").NotNull();
        table.AddColumn("kind", "text").NotNull();
        table.AddColumn("reference_type", "text");
        table.AddColumn("reference_id", "text");
        table.AddColumn("amount", "bigint").NotNull();
        table.AddColumn("left_over", "bigint").NotNull();
        table.AddColumn("captured", "bigint").NotNull();
        table.AddColumn("deadline", "timestamp with time zone").NotNull();
        table.AddColumn("status", "smallint").NotNull();
        table.AddColumn("version", "bigint").NotNull();
        // With the number: thousands may end at the same moment, and the sweeper's pages go on in the midst of them.
        table.Indexes.Add(new IndexDefinition("ledger_hold_deadline") { Columns = ["deadline", "number"], Predicate = "status = 0" });
        // By status: the open ones of an account may be few among millions of finished ones. By the negative number: an order
        // that the primary key cannot give.
        table.Indexes.Add(new IndexDefinition("ledger_hold_account") { Columns = ["account", "status", "(- number)"] });
        ((ITable)table).AddCheckConstraint("ledger_hold_left", "left_over >= 0");
        return table;
    }

    // What of each posting went back.
    private static Table Reversals()
    {
        var table = Named("ledger_reversal");
        table.AddColumn("journal_version", "bigint").NotNull().AsPrimaryKey();
        table.AddColumn("posting", "smallint").NotNull().AsPrimaryKey();
        table.AddColumn("amount", "bigint").NotNull();
        return table;
    }

    private static Table RollUps()
    {
        var table = Named("ledger_roll_up");
        table.AddColumn("prefix", "text").NotNull().AsPrimaryKey();
        table.AddColumn("asset", "text").NotNull().AsPrimaryKey();
        table.AddColumn("accounts", "bigint").NotNull();
        table.AddColumn("balance", "numeric").NotNull();
        table.AddColumn("held", "numeric").NotNull();
        table.WithFillFactor(20);
        return table;
    }

    // The last journal version at each of the ledger's times: one row a batch, since a batch has one time.
    private static Table Times()
    {
        var table = Named("ledger_time");
        table.AddColumn("at", "timestamp with time zone").NotNull().AsPrimaryKey();
        table.AddColumn("journal_version", "bigint").NotNull();
        return table;
    }

    private static Table Named(string name) => new($"public.{name}");
}
