using JasperFx.Events.Projections;
using Lumora.Domain.Purchases;
using Lumora.Projections.EventStore;
using Marten;
using Weasel.Postgresql.Tables;

namespace Lumora.Projections.Purchases;

/// <summary>The header that makes a stored body an age file for one purchase; written once.</summary>
public sealed record DeliveryHeader
{
    /// <summary><c>purchaseId/file</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The header's bytes; their SHA-256 stands in the event.</summary>
    public required byte[] Bytes { get; init; }

    /// <summary>The key of a header.</summary>
    public static string KeyOf(string purchaseId, string file) => $"{purchaseId}/{file}";
}

/// <summary>The views, documents and tables of purchases and deliveries.</summary>
public static class PurchasesStore
{
    /// <summary>Bytes that a grant has served: <c>grant_id</c>, <c>bytes_max</c>, <c>bytes_used</c>, <c>expires_at</c>.</summary>
    public const string GrantTable = "delivery_grant";

    /// <summary>Adds the slice to the store.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Projections.Add(new LiveState<Purchase>(Purchase.Evolve), ProjectionLifecycle.Live);
        options.Projections.Add(new PurchaseViewProjection(), ProjectionLifecycle.Inline);
        options.Schema.For<PurchaseView>().Identity(view => view.Id)
            .Index(view => view.BuyerId).Index(view => view.ReleaseDueAt!).Index(view => view.DatasetId);
        options.Schema.For<DeliveryHeader>().Identity(header => header.Id);
        options.Storage.ExtendedSchemaObjects.Add(Grants());
    }

    private static Table Grants()
    {
        var table = new Table(GrantTable);
        table.AddColumn("grant_id", "text").AsPrimaryKey();
        table.AddColumn("purchase_id", "text").NotNull();
        table.AddColumn("bytes_max", "bigint").NotNull();
        table.AddColumn("bytes_used", "bigint").NotNull();
        table.AddColumn("expires_at", "timestamp with time zone").NotNull();
        return table;
    }
}
