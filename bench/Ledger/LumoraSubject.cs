using Lumora.Bench.Measuring;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lumora.Bench.Ledger;

/// <summary>This ledger: a real writer over the event store, with journal, balances, entries and outcomes.</summary>
internal sealed class LumoraSubject : ISubject
{
    private readonly BenchStore _store;
    private readonly LedgerWriter _writer;
    private readonly Task _running;
    private readonly LedgerLoad _load;

    private LumoraSubject(BenchStore store, LedgerWriter writer, LedgerLoad load)
    {
        (_store, _writer, _load) = (store, writer, load);
        _running = Task.Run(() => writer.RunAsync(CancellationToken.None));
    }

    /// <inheritdoc/>
    public string Name => "lumora";

    /// <summary>Starts a writer on a fresh <paramref name="database"/> with funded accounts.</summary>
    public static async Task<LumoraSubject> StartAsync(string database, int accounts, KeyKind keys, CancellationToken ct)
    {
        var store = await BenchStore.CreateAsync(database);
        var writer = await MakeWriterAsync(store.Sessions, ct);
        var load = new LedgerLoad(
            writer, store.Sessions.DataSource(ShardRole.Global), store.Sessions.ShardOf(ShardRole.Global), keys);
        var subject = new LumoraSubject(store, writer, load);
        await load.FundAsync(accounts, ct);
        return subject;
    }

    /// <inheritdoc/>
    public Task<ICaller> OpenCallerAsync(Workload workload, int index, CancellationToken ct) =>
        Task.FromResult(_load.OpenCaller(workload, index));

    /// <inheritdoc/>
    public Task VerifyAsync(CancellationToken ct) => _load.VerifyAsync(ct);

    /// <summary>Derives everything from the journal again and compares.</summary>
    public Task<LedgerVerification> VerifyAllAsync(CancellationToken ct) =>
        new LedgerVerifier(_store.Sessions).VerifyAsync(ShardRole.Global, ct);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _writer.Complete();
        await _running;
        await _store.DisposeAsync();
    }

    private static async Task<LedgerWriter> MakeWriterAsync(ShardSessions sessions, CancellationToken ct)
    {
        var writer = new LedgerWriter(
            sessions, ShardRole.Global, new LedgerOptions(), TimeProvider.System, NullLogger<LedgerWriter>.Instance);
        await writer.PrepareAsync(ct);
        return writer;
    }
}
