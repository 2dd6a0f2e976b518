using Lumora.Bench.Measuring;
using Lumora.Bench.Server;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;

namespace Lumora.Bench.Ledger.Limits;

/// <summary>
/// Marten's bare append of the journal's events to one stream, by one caller: the same configuration, and nothing but
/// the events. A ledger on Marten that appends one event per transfer is not faster with batches of this size.
/// </summary>
internal sealed class MartenAppendSubject : ISubject
{
    private readonly BenchStore _store;
    private readonly KeyKind _keys;
    private long _version;

    private MartenAppendSubject(BenchStore store, KeyKind keys) => (_store, _keys) = (store, keys);

    /// <inheritdoc/>
    public string Name => "marten-append";

    /// <summary>Lays out the event store on a fresh database.</summary>
    public static async Task<MartenAppendSubject> StartAsync(BenchServer server, KeyKind keys, CancellationToken ct) =>
        new(await BenchStore.CreateAsync(await server.CreateDatabaseAsync("marten-append", ct)), keys);

    /// <inheritdoc/>
    public Task<ICaller> OpenCallerAsync(Workload workload, int index, CancellationToken ct) =>
        Task.FromResult<ICaller>(new Caller(this, workload));

    /// <inheritdoc/>
    public Task VerifyAsync(CancellationToken ct) => Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private sealed class Caller(MartenAppendSubject subject, Workload workload) : ICaller
    {
        private static readonly string Journal = LedgerJournal.StreamId(ShardMap.DefaultShard);
        private readonly Random _random = new(0);

        public async Task<int> CallAsync(CancellationToken ct)
        {
            await using var session = subject._store.Sessions.Open(ShardRole.Global, Actor.System("bench"));
            var events = Enumerable.Range(0, JournalEvents.BatchSize)
                .Select(_ => (object)JournalEvents.Next(workload, _random, subject._keys)).ToArray();
            if (subject._version == 0)
                session.Events.StartStream<LedgerJournal>(Journal, events);
            else
                session.Events.Append(Journal, events).ExpectedVersionOnServer = subject._version;
            await session.SaveChangesAsync(ct);
            subject._version += events.Length;
            return events.Length;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
