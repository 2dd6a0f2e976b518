using System.Text.Json;
using Lumora.Bench.Ledger.Peers;
using Lumora.Bench.Measuring;
using Lumora.Bench.Server;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace Lumora.Bench.Ledger.Limits;

/// <summary>
/// COPY of the journal's rows into a table of the event table's shape, indexes included, by one caller: PostgreSQL has
/// no faster way to take them.
/// </summary>
internal sealed class CopySubject : ISubject
{
    private const string Copy =
        """
        copy copied (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, user_name, is_archived)
        from stdin (format binary)
        """;

    private readonly BenchStore _store;
    private readonly NpgsqlDataSource _source;
    private readonly KeyKind _keys;
    private long _version;

    private CopySubject(BenchStore store, KeyKind keys)
    {
        (_store, _keys) = (store, keys);
        _source = store.Sessions.DataSource(ShardRole.Global);
    }

    /// <inheritdoc/>
    public string Name => "copy";

    /// <summary>Makes the table, shaped as the event store's, on a fresh database.</summary>
    public static async Task<CopySubject> StartAsync(BenchServer server, KeyKind keys, CancellationToken ct)
    {
        var subject = new CopySubject(await BenchStore.CreateAsync(await server.CreateDatabaseAsync("copy", ct)), keys);
        await subject._source.RunAsync("create table copied (like mt_events including all)", ct);
        return subject;
    }

    /// <inheritdoc/>
    public Task<ICaller> OpenCallerAsync(Workload workload, int index, CancellationToken ct) =>
        Task.FromResult<ICaller>(new Caller(this, workload));

    /// <inheritdoc/>
    public Task VerifyAsync(CancellationToken ct) => Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private sealed class Caller(CopySubject subject, Workload workload) : ICaller
    {
        private static readonly string Journal = LedgerJournal.StreamId(ShardMap.DefaultShard);
        private static readonly string TypeName = typeof(TransactionPosted).FullName + ", Lumora.Domain";
        private readonly Random _random = new(0);

        public async Task<int> CallAsync(CancellationToken ct)
        {
            await using var connection = await subject._source.OpenConnectionAsync(ct);
            await using var import = await connection.BeginBinaryImportAsync(Copy, ct);
            for (var i = 0; i < JournalEvents.BatchSize; i++)
                await WriteAsync(import, ct);
            await import.CompleteAsync(ct);
            return JournalEvents.BatchSize;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private async Task WriteAsync(NpgsqlBinaryImporter import, CancellationToken ct)
        {
            var version = ++subject._version;
            await import.StartRowAsync(ct);
            await import.WriteAsync(version, NpgsqlDbType.Bigint, ct);
            await import.WriteAsync(Guid.CreateVersion7(), NpgsqlDbType.Uuid, ct);
            await import.WriteAsync(Journal, NpgsqlDbType.Text, ct);
            await import.WriteAsync(version, NpgsqlDbType.Bigint, ct);
            await import.WriteAsync(
                JsonSerializer.Serialize(JournalEvents.Next(workload, _random, subject._keys), WireJson.Events),
                NpgsqlDbType.Jsonb, ct);
            await import.WriteAsync("transaction_posted", NpgsqlDbType.Varchar, ct);
            await import.WriteAsync(DateTime.UtcNow, NpgsqlDbType.TimestampTz, ct);
            await import.WriteAsync(ShardMap.DefaultShard, NpgsqlDbType.Varchar, ct);
            await import.WriteAsync(TypeName, NpgsqlDbType.Varchar, ct);
            await import.WriteAsync("system:bench", NpgsqlDbType.Varchar, ct);
            await import.WriteAsync(value: false, NpgsqlDbType.Boolean, ct);
        }
    }
}
