using Lumora.Bench.Ledger.Peers;
using Lumora.Bench.Measuring;
using Lumora.Bench.Server;
using Npgsql;

namespace Lumora.Bench.Ledger.Limits;

/// <summary>One row of the least size per commit: no ledger that commits each transfer alone can be faster.</summary>
internal sealed class SingleRowSubject : ISubject
{
    private readonly NpgsqlDataSource _source;

    private SingleRowSubject(NpgsqlDataSource source) => _source = source;

    /// <inheritdoc/>
    public string Name => "single-row-commit";

    /// <summary>Makes the table on a fresh database.</summary>
    public static async Task<SingleRowSubject> StartAsync(BenchServer server, CancellationToken ct)
    {
        var source = await server.CreateSourceAsync("single-row", ct);
        await source.RunAsync(
            "create table transfer (id bigint generated always as identity primary key, payer bigint not null, "
            + "payee bigint not null, amount bigint not null)", ct);
        return new SingleRowSubject(source);
    }

    /// <inheritdoc/>
    public Task<ICaller> OpenCallerAsync(Workload workload, int index, CancellationToken ct)
    {
        var random = new Random(index);
        var (payer, payee) = (new NpgsqlParameter<long>(), new NpgsqlParameter<long>());
        var command = new NpgsqlCommand("insert into transfer (payer, payee, amount) values ($1, $2, 1)")
        {
            Parameters = { payer, payee },
        };
        return StatementCaller.OpenAsync(
            _source, command, _ => (payer.TypedValue, payee.TypedValue) = workload.Next(random), 1, ct);
    }

    /// <inheritdoc/>
    public Task VerifyAsync(CancellationToken ct) => Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
