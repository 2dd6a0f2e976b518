using System.Globalization;
using Lumora.Bench.Measuring;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Projections.Ledger;
using Npgsql;

namespace Lumora.Bench.Ledger;

/// <summary>What is asked of a ledger, and how its books are checked afterwards.</summary>
internal sealed class LedgerLoad(ILedger ledger, NpgsqlDataSource source, string shard, KeyKind keys)
{
    private const long FundsUnits = 1_000_000_000_000;
    private const int UnitsMax = 100;
    private static readonly Actor Network = Actor.System("bench");

    // As the host asks for it: a host that starts on this ledger later finds its own answer.
    private static readonly LedgerRequest OpenEmission = new(
        Actor.System("ledger"), $"open/{ChartOfAccounts.Emission}/{ChartOfAccounts.Lmr}", new OpenAccount(ChartOfAccounts.Emission));

    private long _expected;

    /// <summary>Journal events that all requests so far have made.</summary>
    public long Expected => Interlocked.Read(ref _expected);

    /// <summary>Opens emission and <paramref name="accounts"/> accounts of participants, and fills these.</summary>
    public async Task FundAsync(int accounts, CancellationToken ct)
    {
        // The host opens its standing accounts itself: what the journal holds already is no fault of this load.
        _expected = await ReadAsync("select coalesce(sum(version), 0)::bigint from mt_streams where id = $1", ct);
        if (_expected == 0)
            await PostAsync(OpenEmission, ct);
        await Task.WhenAll(Enumerable.Range(0, accounts).Select(account => PostAsync(
            new LedgerRequest(Network, $"open-{account}", new OpenAccount(CodeOf(account))), ct)));
        await Task.WhenAll(Enumerable.Range(0, accounts).Select(account => PostAsync(
            new LedgerRequest(Network, $"fund-{account}", Pay(ChartOfAccounts.Emission, CodeOf(account), FundsUnits)), ct)));
    }

    /// <summary>A caller that pays from account to account as <paramref name="workload"/> says.</summary>
    public ICaller OpenCaller(Workload workload, int index) => new Caller(this, workload, new Random(index));

    /// <summary>One transfer between two accounts of the funded ones; answers its version in the journal.</summary>
    public async Task<long> PayAsync(int payer, int payee, CancellationToken ct) =>
        (await PostAsync(new LedgerRequest(Network, NextKey(), Pay(CodeOf(payer), CodeOf(payee), 1)), ct)).JournalVersion;

    /// <summary>Checks that the balances' sum is 0 and that the journal holds exactly the events of what was answered.</summary>
    /// <exception cref="BenchException">The books do not add up.</exception>
    public async Task VerifyAsync(CancellationToken ct)
    {
        var sum = await ReadAsync("select sum(balance)::bigint from ledger_account where $1 <> ''", ct);
        var version = await ReadAsync("select version from mt_streams where id = $1", ct);
        var events = await ReadAsync("select count(*) from mt_events where stream_id = $1", ct);
        if (sum != 0 || version != Expected || events != Expected)
        {
            throw new BenchException(string.Create(
                CultureInfo.InvariantCulture,
                $"The books do not add up: sum {sum}, journal at version {version} with {events} events, expected {Expected}."));
        }
    }

    /// <summary>One number; <c>$1</c> is the journal's stream.</summary>
    private async Task<long> ReadAsync(string sql, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 300;
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = LedgerJournal.StreamId(shard) });
        return await command.ExecuteScalarAsync(ct) is long number ? number : 0;
    }

    private async Task<LedgerOutcome.Posted> PostAsync(LedgerRequest request, CancellationToken ct)
    {
        var outcome = await ledger.SubmitAsync(request, ct);
        while (outcome is LedgerOutcome.Busy busy)
        {
            await Task.Delay(busy.RetryAfter, ct);
            outcome = await ledger.SubmitAsync(request, ct);
        }

        if (outcome is not LedgerOutcome.Posted { Replayed: false } posted)
            throw new BenchException($"The ledger answered {outcome} to {request.Command}.");
        Interlocked.Increment(ref _expected);
        return posted;
    }

    private static string CodeOf(int account) => ChartOfAccounts.Available(IdOf(account));

    private static string IdOf(int account) => $"bench-{account:00000000}";

    private static PostTransaction Pay(string from, string to, long units) =>
        new("bench", [new Posting(from, to, new Amount(units))]);

    // The payer itself asks, as a purchase does.
    private sealed class Caller(LedgerLoad load, Workload workload, Random random) : ICaller
    {
        public async Task<int> CallAsync(CancellationToken ct)
        {
            var (payer, payee) = workload.Next(random);
            var pay = Pay(CodeOf(payer), CodeOf(payee), random.Next(1, UnitsMax));
            await load.PostAsync(
                new LedgerRequest(new Actor(IdOf(payer), Roles.Consumer), load.NextKey(), pay), ct);
            return 1;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private string NextKey() => keys.Next().ToString();
}
