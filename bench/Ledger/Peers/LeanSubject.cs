using Lumora.Bench.Measuring;
using Lumora.Bench.Server;
using Npgsql;
using NpgsqlTypes;

namespace Lumora.Bench.Ledger.Peers;

/// <summary>
/// A lean transfer function in SQL (lean.sql): one transfer a call, or many. Each call is a transaction. At a fixed rate, each transfer
/// is somebody's of their own, and what waits goes together.
/// </summary>
internal sealed class LeanSubject : ISubject
{
    private const long FundsUnits = 1_000_000_000_000;
    private const int UnitsMax = 100;
    // At which the closed loop is fastest, or near to it.
    private const int RateConnections = 4;

    private readonly NpgsqlDataSource _source;
    private readonly int _batch;
    private readonly KeyKind _keys;

    private LeanSubject(NpgsqlDataSource source, int batch, KeyKind keys) => (_source, _batch, _keys) = (source, batch, keys);

    /// <inheritdoc/>
    public string Name => _batch == 1 ? "lean-single" : $"lean-batch-{_batch}";

    /// <summary>True when a call makes many transfers.</summary>
    public bool IsBatch => _batch > 1;

    /// <summary>Makes the tables and functions on a fresh database, and funded accounts.</summary>
    /// <param name="server">Where.</param>
    /// <param name="accounts">How many participants.</param>
    /// <param name="batch">Transfers a call.</param>
    /// <param name="keys">The callers' keys.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<LeanSubject> StartAsync(
        BenchServer server, int accounts, int batch, KeyKind keys, CancellationToken ct)
    {
        var source = await server.CreateSourceAsync($"lean-{batch}", ct);
        await source.RunAsync(SqlText.Read("lean.sql"), ct);
        await source.RunAsync(
            $"insert into account select i, {FundsUnits}, 0 from generate_series(0, {accounts - 1}) i; "
            + $"insert into account values (-1, -{FundsUnits} * {accounts}, null)", ct);
        return new LeanSubject(source, batch, keys);
    }

    /// <inheritdoc/>
    public Task<ICaller> OpenCallerAsync(Workload workload, int index, CancellationToken ct)
    {
        var random = new Random(index);
        return _batch == 1 ? OpenSingleAsync(workload, random, ct) : OpenBatchAsync(workload, random, ct);
    }

    /// <inheritdoc/>
    public async Task VerifyAsync(CancellationToken ct)
    {
        var sums = await _source.ValueAsync<bool>(
            "select (select sum(balance) from account) = 0 and (select sum(amount) from entry) = 0 "
            + "and (select count(*) from entry) = 2 * (select count(*) from transfer)", ct);
        if (!sums)
            throw new BenchException($"The books of {Name} do not add up.");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    /// <inheritdoc/>
    public async Task<ICaller> OpenRateAsync(Workload workload, CancellationToken ct)
    {
        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < RateConnections; i++)
            connections.Add(await _source.OpenConnectionAsync(ct));
        var random = new Random(0);
        return new GatheringCaller(connections, _batch, () =>
        {
            var (payer, payee) = workload.Next(random);
            return new LeanTransfer(_keys.Next(), payer, payee, random.Next(1, UnitsMax));
        });
    }

    private Task<ICaller> OpenSingleAsync(Workload workload, Random random, CancellationToken ct)
    {
        var key = new NpgsqlParameter<Guid>();
        var (payer, payee, amount) = (new NpgsqlParameter<long>(), new NpgsqlParameter<long>(), new NpgsqlParameter<long>());
        var command = new NpgsqlCommand("select make_transfer($1, $2, $3, $4)") { Parameters = { key, payer, payee, amount } };
        return StatementCaller.OpenAsync(_source, command, Fill, 1, ct);

        void Fill(NpgsqlParameterCollection parameters)
        {
            key.TypedValue = _keys.Next();
            (payer.TypedValue, payee.TypedValue) = workload.Next(random);
            amount.TypedValue = random.Next(1, UnitsMax);
        }
    }

    private Task<ICaller> OpenBatchAsync(Workload workload, Random random, CancellationToken ct)
    {
        var keys = new Guid[_batch];
        var (payers, payees, amounts) = (new long[_batch], new long[_batch], new long[_batch]);
        var command = new NpgsqlCommand("select make_transfers($1, $2, $3, $4)")
        {
            Parameters =
            {
                new NpgsqlParameter { Value = keys, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
                new NpgsqlParameter { Value = payers, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                new NpgsqlParameter { Value = payees, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                new NpgsqlParameter { Value = amounts, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
            },
        };
        return StatementCaller.OpenAsync(_source, command, Fill, _batch, ct);

        void Fill(NpgsqlParameterCollection parameters)
        {
            for (var i = 0; i < _batch; i++)
            {
                keys[i] = _keys.Next();
                (payers[i], payees[i]) = workload.Next(random);
                amounts[i] = random.Next(1, UnitsMax);
            }
        }
    }
}
