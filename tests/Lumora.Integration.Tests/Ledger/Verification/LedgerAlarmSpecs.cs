using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Api.Ledger;
using Lumora.Api.Rewards;
using Lumora.Domain.Ledger;
using Lumora.Domain.Rewards;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Tasks;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using static Lumora.Integration.Tests.Ledger.LedgerHarness;

namespace Lumora.Integration.Tests.Ledger.Verification;

/// <summary>A host whose ledger is damaged behind its back, over real HTTP.</summary>
public sealed class LedgerAlarmSpecs(TestDatabases databases)
{
    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        ["Lumora:Ledger:Reconciliation:Interval"] = "00:00:00.1",
        ["Lumora:Ledger:Reconciliation:FullIntervalAfterFindings"] = "00:00:01",
        ["Lumora:Rewards:EpochSeconds"] = "604800",
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_difference_raises_the_alarm_and_stops_payouts_alone_until_a_pass_is_clean()
    {
        var (database, log) = (await databases.CreateAsync(), new CriticalLines());
        await using var app = new LumoraApp(database, settings: Settings, services: services => services.AddSingleton<ILoggerProvider>(log));
        await app.StartAsync();
        using var client = app.CreateClient();
        var health = app.Get<LedgerHealth>();
        await Patience.UntilAsync(() => health.Shards.Values.Single().CleanAt is not null);
        Assert.Equal("healthy", await StateAsync(client));
        // Of another host in the same process, whose ledger is right, the metrics say nothing.
        await using var neighbour = new LumoraApp(await databases.CreateAsync(), settings: Settings);
        await neighbour.StartAsync();
        await Patience.UntilAsync(() => neighbour.Get<LedgerHealth>().Shards.Values.Single().CleanAt is not null);

        await ExecuteAsync(app, "update ledger_roll_up set balance = balance + 1 where prefix = 'network'");
        await Patience.UntilAsync(async () => await StateAsync(client) == "degraded");
        Assert.False(health.PayoutsAllowed);
        var ledger = (await client.GetFromJsonAsync<JsonElement>("/readyz", Ct)).GetProperty("checks").GetProperty("ledger");
        Assert.Equal(LedgerHealth.DiffersCode, ledger.GetProperty("data").GetProperty("code").GetString());
        await Patience.UntilAsync(async () => await FindingsAsync(client) == "1");
        using var right = neighbour.CreateClient();
        Assert.Equal("0", await FindingsAsync(right));
        Assert.Contains(log.Lines, line => line.Contains("ledger_differs", StringComparison.Ordinal) && line.Contains("sum_not_zero", StringComparison.Ordinal));

        // Postings go on, the payment of an epoch does not; a host that starts now knows it from its first moment.
        var posted = await app.Get<ILedgers>().For(ShardRole.Global).AskAsync(
            Request("meanwhile", Pay(ChartOfAccounts.Emission, ChartOfAccounts.Treasury, 1)));
        Assert.IsType<LedgerOutcome.Posted>(posted);
        var epoch = EpochClock.EpochOf(DateTimeOffset.UtcNow, 604_800);
        var closed = await app.Get<EpochCloser>().CloseAsync(
            new CloseEpoch(WorkFixture.Steward, epoch, "while the ledger differs", "close"), Ct);
        Assert.Null(closed.Value!.PaidAt);
        await using (var second = new LumoraApp(database, settings: Settings))
        {
            await second.StartAsync();
            Assert.False(second.Get<LedgerHealth>().PayoutsAllowed);
        }

        Assert.True((await new LedgerRebuild(app.Get<ShardSessions>().DataSource(ShardRole.Global), ShardMap.DefaultShard)
            .RunAsync(_ => { }, null, Ct)).Swapped);
        await Patience.UntilAsync(async () => await StateAsync(client) == "healthy");
        Assert.True(health.PayoutsAllowed);
        var paid = await Patience.ForAsync(async () =>
            await EpochRows.FindAsync(app.Get<ShardSessions>(), epoch, Ct) is { PaidAt: not null } row ? row : null);
        Assert.Equal(paid.Emission, paid.Paid + paid.Unallocated);
    }

    [Theory]
    [InlineData("Interval", "00:00:00.01")]
    [InlineData("FullInterval", "31.00:00:00")]
    [InlineData("ChunkEvents", "0")]
    [InlineData("EventsPerSecondMax", "1")]
    public void A_setting_out_of_bounds_is_refused_by_name(string name, string value)
    {
        var key = $"{LedgerReconciliationOptions.Section}:{name}";
        var builder = WebApplication.CreateBuilder([$"--{key}", value]).AddLedgerReconciliation();
        using var services = builder.Services.BuildServiceProvider();
        var refused = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<LedgerReconciliationOptions>>().Value);
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }

    private static async Task<string> StateAsync(HttpClient client) =>
        (await client.GetFromJsonAsync<JsonElement>("/readyz", Ct)).GetProperty("checks").GetProperty("ledger").GetProperty("status").GetString()!;

    // The one line of that series: name{labels} value time.
    private static async Task<string> FindingsAsync(HttpClient client) =>
        Assert.Single((await client.GetStringAsync("/metrics", Ct)).Split('\n'), line =>
            line.StartsWith("lumora_ledger_findings", StringComparison.Ordinal)
            && line.Contains("code=\"roll_up_differs\"", StringComparison.Ordinal)).Split("} ")[1].Split(' ')[0];

    private static async Task ExecuteAsync(LumoraApp app, string sql)
    {
        await using var command = app.Get<ShardSessions>().DataSource(ShardRole.Global).CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private sealed class CriticalLines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Critical;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Lines.Enqueue(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
