using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Marten;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Lumora.Integration.Tests.Ledger;

/// <summary>
/// The event store on a database of its own and as many ledger writers over it as a test wants, without the rest of
/// the host. At the end of every test the ledger has to verify.
/// </summary>
public sealed class LedgerHarness(TestDatabases databases) : IAsyncDisposable
{
    public static readonly Actor Network = Actor.System("test");
    private readonly List<(LedgerWriter Writer, Task Loop, CancellationTokenSource GiveUp)> _writers = [];
    private ShardMap _shards = null!;
    private DocumentStore _store = null!;

    public ShardSessions Sessions { get; private set; } = null!;

    /// <summary>False for a test that damages its ledger.</summary>
    public bool VerifiesAtEnd { get; set; } = true;

    public string ConnectionString => _shards.ConnectionStrings[ShardMap.DefaultShard];

    public LedgerQueries Queries => new(Sessions);

    public LedgerStatements Statements => new(Sessions);

    public LedgerRollUpQueries RollUps => new(Sessions);

    public LedgerSearch Search => new(Sessions);

    public LedgerHoldQueries Holds => new(Sessions);

    public LedgerDryRun DryRun => new(Sessions, TimeProvider.System);

    public static async Task<LedgerHarness> StartAsync(TestDatabases databases)
    {
        var harness = new LedgerHarness(databases);
        await harness.ConnectAsync();
        return harness;
    }

    public static PostTransaction Pay(string from, string to, long units) =>
        new("test", [new Posting(from, to, new Amount(units))]);

    public static LedgerRequest Request(string key, LedgerCommand command) => new(Network, key, command);

    public async Task<LedgerWriter> WriterAsync(
        ILedgerProbe? probe = null, LedgerOptions? options = null, bool run = true, TimeProvider? clock = null)
    {
        var writer = new LedgerWriter(
            Sessions, ShardRole.Global, options ?? new LedgerOptions { AttemptPause = TimeSpan.FromMilliseconds(5) },
            clock ?? TimeProvider.System, NullLogger<LedgerWriter>.Instance, probe);
        await writer.PrepareAsync(TestContext.Current.CancellationToken);
        if (run)
            _ = Run(writer);
        return writer;
    }

    public Task Run(LedgerWriter writer)
    {
        var giveUp = new CancellationTokenSource();
        var loop = Task.Run(() => writer.RunAsync(giveUp.Token), CancellationToken.None);
        _writers.Add((writer, loop, giveUp));
        return loop;
    }

    /// <summary>Opens emission and <c>participant/0..count-1</c>, each with <paramref name="units"/>.</summary>
    public static async Task FundAsync(ILedger ledger, int count, long units)
    {
        await ledger.SubmitAsync(Request("open-emission", new OpenAccount(ChartOfAccounts.Emission)), default);
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => ledger.SubmitAsync(
            Request($"open-{i}", new OpenAccount(Account(i))), default)));
        var funded = await Task.WhenAll(Enumerable.Range(0, count).Select(i => ledger.SubmitAsync(
            Request($"fund-{i}", Pay(ChartOfAccounts.Emission, Account(i), units)), default)));
        Assert.All(funded, outcome => Assert.IsType<LedgerOutcome.Posted>(outcome));
    }

    public static string Account(int i) => ChartOfAccounts.Available($"{i}");

    public async Task<long> BalanceAsync(string code) =>
        (await Queries.AccountAsync(ShardRole.Global, code, ChartOfAccounts.Lmr, default))!.Balance;

    public async Task<LedgerVerification> VerifyAsync()
    {
        var verification = await new LedgerVerifier(Sessions).VerifyAsync(ShardRole.Global, default);
        Assert.Empty(verification.Findings);
        return verification;
    }

    /// <summary>The schema needs no change any more, and applying it makes none.</summary>
    public async Task AssertSchemaIsStableAsync()
    {
        await _store.Storage.Database.AssertDatabaseMatchesConfigurationAsync();
        await _store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
    }

    public async Task<long> CountAsync(string sql)
    {
        await using var command = Sessions.DataSource(ShardRole.Global).CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Throws when the database is not laid out as the store would lay it out.</summary>
    public async Task AssertSchemaAsync()
    {
        foreach (var database in await _store.Storage.AllDatabases())
            await database.AssertDatabaseMatchesConfigurationAsync();
    }

    public Task ExecuteAsync(string sql) => CountAsync(sql + "; select 0");

    public async ValueTask DisposeAsync()
    {
        foreach (var (writer, loop, giveUp) in _writers)
        {
            writer.Complete();
            await loop.WaitAsync(Patience.Time);
            giveUp.Dispose();
        }

        if (VerifiesAtEnd)
            await VerifyAsync();
        await _store.DisposeAsync();
        await _shards.DisposeAsync();
    }

    private async Task ConnectAsync()
    {
        var connection = new NpgsqlConnectionStringBuilder(await databases.CreateEmptyAsync());
        _shards = new ShardMap(connection.ConnectionString);
        _store = DocumentStore.For(options => EventStoreSetup.Configure(options, _shards));
        await _store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        Sessions = new ShardSessions(_store, _shards);
    }
}

internal static class LedgerAsking
{
    /// <summary>Submits; ends with the test when no answer comes.</summary>
    public static Task<LedgerOutcome> AskAsync(this ILedger ledger, LedgerRequest request) =>
        ledger.SubmitAsync(request, TestContext.Current.CancellationToken);
}
