using Lumora.Projections.EventStore;
using Marten;

namespace Lumora.Bench.Ledger;

/// <summary>The event store, exactly as the host configures it, on a fresh database and without the rest of the host.</summary>
internal sealed class BenchStore : IAsyncDisposable
{
    private readonly ShardMap _shards;
    private readonly DocumentStore _store;

    private BenchStore(ShardMap shards, DocumentStore store)
    {
        (_shards, _store) = (shards, store);
        Sessions = new ShardSessions(store, shards);
    }

    /// <summary>The door to it.</summary>
    public ShardSessions Sessions { get; }

    /// <summary>Lays out the schema in the database of <paramref name="connectionString"/>.</summary>
    public static async Task<BenchStore> CreateAsync(string connectionString)
    {
        var shards = new ShardMap(connectionString);
        var store = DocumentStore.For(options => EventStoreSetup.Configure(options, shards));
        await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        return new BenchStore(shards, store);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _shards.DisposeAsync();
    }
}
