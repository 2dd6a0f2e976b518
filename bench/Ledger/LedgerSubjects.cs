using Lumora.Bench.Ledger.Limits;
using Lumora.Bench.Ledger.Peers;
using Lumora.Bench.Measuring;
using Lumora.Bench.Server;

namespace Lumora.Bench.Ledger;

/// <summary>All subjects of a run, each on its fresh database.</summary>
internal sealed class LedgerSubjects : IAsyncDisposable
{
    private readonly List<ISubject> _all = [];

    private LedgerSubjects()
    {
    }

    /// <summary>This ledger.</summary>
    public LumoraSubject Lumora { get; private set; } = null!;

    /// <summary>What it is compared with, each at its best number of connections.</summary>
    public IReadOnlyList<ISubject> Peers { get; private set; } = [];

    /// <summary>What it is compared with at a fixed rate.</summary>
    public LeanSubject OpenPeer { get; private set; } = null!;

    /// <summary>What bounds it, with one caller.</summary>
    public IReadOnlyList<ISubject> Limits { get; private set; } = [];

    /// <summary>Makes them.</summary>
    public static async Task<LedgerSubjects> StartAsync(
        BenchServer server, LedgerBenchOptions options, Action<string> say, CancellationToken ct)
    {
        const int BatchSize = 100;
        var (accounts, keys) = (options.Accounts, options.Keys);
        var subjects = new LedgerSubjects();
        try
        {
            if (options.Pgledger is { } folder)
                await subjects.AddAsync(PgledgerSubject.StartAsync(server, folder, accounts, ct));
            else
                say("pgledger is left out: --pgledger names no checkout of it.");
            await subjects.AddAsync(LeanSubject.StartAsync(server, accounts, batch: 1, keys, ct));
            subjects.OpenPeer = await subjects.AddAsync(LeanSubject.StartAsync(server, accounts, BatchSize, keys, ct));
            await subjects.AddAsync(SingleRowSubject.StartAsync(server, ct));
            subjects.Peers = [.. subjects._all];
            subjects.Limits =
            [
                await subjects.AddAsync(MartenAppendSubject.StartAsync(server, keys, ct)),
                await subjects.AddAsync(CopySubject.StartAsync(server, keys, ct)),
            ];
            subjects.Lumora = await subjects.AddAsync(LumoraSubject.StartAsync(
                await server.CreateDatabaseAsync("lumora", ct), accounts, keys, ct));
            await server.AnalyzeAsync(ct);
            return subjects;
        }
        catch
        {
            await subjects.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var subject in _all)
            await subject.DisposeAsync();
    }

    private async Task<T> AddAsync<T>(Task<T> starting)
        where T : ISubject
    {
        var subject = await starting;
        _all.Add(subject);
        return subject;
    }
}
