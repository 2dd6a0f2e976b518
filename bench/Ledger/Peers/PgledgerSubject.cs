using Lumora.Bench.Measuring;
using Lumora.Bench.Server;
using Npgsql;

namespace Lumora.Bench.Ledger.Peers;

/// <summary>
/// pgledger, a public ledger in pure SQL, from a checkout that the user names: one function call per transfer, each a
/// transaction. It knows no idempotency keys.
/// </summary>
internal sealed class PgledgerSubject : ISubject
{
    private const int UnitsMax = 100;
    private const int FundedAtOnce = 500;
    private const string Main = "pgledger.sql";
    private const string Currency = "LMR";

    private readonly NpgsqlDataSource _source;
    private readonly string[] _accounts;

    private PgledgerSubject(NpgsqlDataSource source, string[] accounts) => (_source, _accounts) = (source, accounts);

    /// <inheritdoc/>
    public string Name => "pgledger";

    /// <summary>Installs it from <paramref name="folder"/> as its README says, and makes funded accounts.</summary>
    /// <exception cref="BenchException">The folder is no checkout of pgledger.</exception>
    public static async Task<PgledgerSubject> StartAsync(
        BenchServer server, string folder, int accounts, CancellationToken ct)
    {
        if (!File.Exists(Path.Combine(folder, Main)))
            throw new BenchException($"{folder} is no checkout of pgledger: it has no {Main}.");
        var source = await server.CreateSourceAsync("pgledger", ct);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "vendor"), "*.sql", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            await source.RunAsync(await File.ReadAllTextAsync(file, ct), ct);
        await source.RunAsync(await File.ReadAllTextAsync(Path.Combine(folder, Main), ct), ct);
        return new PgledgerSubject(source, await FundAsync(source, accounts, ct));
    }

    /// <inheritdoc/>
    public Task<ICaller> OpenCallerAsync(Workload workload, int index, CancellationToken ct)
    {
        var random = new Random(index);
        var (payer, payee) = (new NpgsqlParameter<string>(), new NpgsqlParameter<string>());
        var amount = new NpgsqlParameter<decimal>();
        var command = new NpgsqlCommand("select id from pgledger_create_transfer($1, $2, $3)")
        {
            Parameters = { payer, payee, amount },
        };
        return StatementCaller.OpenAsync(_source, command, Fill, 1, ct);

        void Fill(NpgsqlParameterCollection parameters)
        {
            var pair = workload.Next(random);
            (payer.TypedValue, payee.TypedValue) = (_accounts[pair.Payer], _accounts[pair.Payee]);
            amount.TypedValue = random.Next(1, UnitsMax);
        }
    }

    /// <inheritdoc/>
    public async Task VerifyAsync(CancellationToken ct)
    {
        if (await _source.ValueAsync<decimal>("select sum(balance) from pgledger_accounts_view", ct) != 0)
            throw new BenchException("The books of pgledger do not add up.");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static async Task<string[]> FundAsync(NpgsqlDataSource source, int accounts, CancellationToken ct)
    {
        var emission = await source.ValueAsync<string>(
            $"select id from pgledger_create_account('emission', '{Currency}')", ct);
        var ids = await source.ValueAsync<string[]>(
            $"""
            select array_agg(a.id) from generate_series(1, {accounts}) i,
            lateral pgledger_create_account('bench-' || i, '{Currency}', allow_negative_balance => false) a
            """, ct);
        foreach (var some in ids.Chunk(FundedAtOnce))
        {
            await using var fund = source.CreateCommand(
                """
                select count(*) from pgledger_create_transfers(
                    (select array_agg(($1, id, 1000000000000)::transfer_request) from unnest($2) id), event_at => now())
                """);
            fund.Parameters.Add(new NpgsqlParameter<string> { TypedValue = emission });
            fund.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = some });
            await fund.ExecuteNonQueryAsync(ct);
        }

        return ids;
    }
}
