using Lumora.Bench.Measuring;
using Lumora.Bench.Server;
using Lumora.Domain.Ledger;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;

namespace Lumora.Bench.Ledger;

/// <summary>
/// Reads of a large ledger, one after the other: the balance of an account with 1,000,000 entries at a past time, or the sum over
/// 1,000,000 accounts below a prefix. The rows are filled set-wise, as the writer would have left them.
/// </summary>
internal sealed class ReadSubject : ISubject
{
    /// <summary>The workload that asks for a balance at a time.</summary>
    public static readonly Workload BalanceAtTime = new("balance-at-time", random => (random.Next(Rows), 0));

    /// <summary>The workload that asks for a sum.</summary>
    public static readonly Workload PrefixSum = new("prefix-sum", _ => (0, 0));

    private const int Rows = 1_000_000;
    private const int VersionsPerSecond = 100;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly string[] Fill =
    [
        $"""
        insert into ledger_account (number, code, asset, balance, held, floor, status, version)
        select i, 'participant/' || i || '/available', 'LMR', case i when 1 then {Rows} else 0 end, 0, 0, 0, i
        from generate_series(1, {Rows}) i
        """,
        $"insert into ledger_entry (account, journal_version, line, amount, balance) select 1, v, 1, 1, v from generate_series(1, {Rows}) v",
        $"""
        insert into ledger_time (at, journal_version)
        select timestamptz '2026-01-01Z' + s * interval '1 second', (s + 1) * {VersionsPerSecond}
        from generate_series(0, {Rows / VersionsPerSecond - 1}) s
        """,
        $"insert into ledger_roll_up (prefix, asset, accounts, balance, held) values ('participant', 'LMR', {Rows}, {Rows}, 0)",
        "analyze",
    ];

    private readonly BenchStore _store;
    private readonly LedgerQueries _accounts;
    private readonly LedgerRollUpQueries _sums;

    private ReadSubject(BenchStore store)
    {
        _store = store;
        (_accounts, _sums) = (new LedgerQueries(store.Sessions), new LedgerRollUpQueries(store.Sessions));
    }

    /// <inheritdoc/>
    public string Name => "lumora";

    /// <summary>Fills a fresh database.</summary>
    public static async Task<ReadSubject> StartAsync(BenchServer server, CancellationToken ct)
    {
        var store = await BenchStore.CreateAsync(await server.CreateDatabaseAsync("lumora-reads", ct));
        foreach (var sql in Fill)
        {
            await using var command = store.Sessions.DataSource(ShardRole.Global).CreateCommand(sql);
            command.CommandTimeout = 300;
            await command.ExecuteNonQueryAsync(ct);
        }

        return new ReadSubject(store);
    }

    /// <inheritdoc/>
    public Task<ICaller> OpenCallerAsync(Workload workload, int index, CancellationToken ct) =>
        Task.FromResult<ICaller>(new Caller(this, workload));

    /// <inheritdoc/>
    public Task VerifyAsync(CancellationToken ct) => Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private sealed class Caller(ReadSubject subject, Workload workload) : ICaller
    {
        private readonly Random _random = new(0);

        public async Task<int> CallAsync(CancellationToken ct)
        {
            if (workload == PrefixSum)
            {
                var sum = await subject._sums.SumAsync(ShardRole.Global, "participant", ChartOfAccounts.Lmr, ct);
                return sum.Balance == Rows ? 1 : throw new BenchException($"The sum of the prefix is {sum.Balance}.");
            }

            var second = workload.Next(_random).Payer / VersionsPerSecond;
            var read = await subject._accounts.BalanceAsync(
                ShardRole.Global, "participant/1/available", ChartOfAccounts.Lmr, Start.AddSeconds(second), ct);
            return read?.Balance == (second + 1) * VersionsPerSecond
                ? 1
                : throw new BenchException($"The balance at second {second} is {read?.Balance}.");
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
