using System.Collections.Concurrent;
using System.Numerics;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Domain.Tests.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Lumora.Projections.Ledger;
using Microsoft.Extensions.DependencyInjection;

namespace Lumora.Integration.Tests.Ledger.Conformance;

/// <summary>The answers fit no order, or what the ledger holds at the end is not what the answers said.</summary>
internal sealed class NonconformingException(string message) : Exception(message);

/// <summary>A host with a few people and a steward, and the naive ledger that knows all that it was asked.</summary>
internal sealed class ConformanceRun : IAsyncDisposable
{
    private const int People = 4;
    private const int Funds = 120;
    private static readonly Actor Network = Actor.System("test");
    private readonly LumoraApp _app;
    private readonly Random _random;
    private readonly NaiveSubmit _submit;
    private readonly Dictionary<string, HttpClient> _clients = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, (string Key, DateTimeOffset? At)> _places = [];
    private RandomRequests _requests = null!;
    private NaiveLedger _naive = new();

    private ConformanceRun(LumoraApp app, FlakyProbe probe, Random random, NaiveSubmit submit) =>
        (_app, Probe, _random, _submit) = (app, probe, random, submit);

    public FlakyProbe Probe { get; }

    public ILedger Ledger => _app.Get<ILedgers>().For(ShardRole.Global);

    /// <summary>How often each command was answered with each code.</summary>
    public ConcurrentDictionary<string, int> Seen { get; } = new(StringComparer.Ordinal);

    public string AnyAccount => _naive.Balances.Keys.First(code => code.StartsWith("participant/", StringComparison.Ordinal));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<ConformanceRun> StartAsync(TestDatabases databases, int seed, NaiveSubmit submit)
    {
        var random = new Random(seed);
        var (probe, steward) = (new FlakyProbe(new Random(seed)), new TestWallet());
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Lumora:Stewards:0"] = steward.Address,
            ["Lumora:Identity:AttemptsPerMinute"] = "1000",
            // What gets lost here is logged with its stack, hundreds of times.
            ["Logging:LogLevel:Default"] = "None",
            ["Logging:LogLevel:Microsoft"] = "None",
            ["Lumora:Ledger:RefusalsPerMinuteMax"] = "1000000",
            ["Lumora:Ledger:AttemptPause"] = "00:00:00.002",
            // The run expires holds itself: what the host did alone, the naive ledger would not know.
            ["Lumora:Ledger:HoldSweepEvery"] = "1.00:00:00",
        };
        var app = new LumoraApp(
            await databases.CreateAsync(), settings: settings, services: services => services.AddSingleton<ILedgerProbe>(probe));
        await app.StartAsync();
        var run = new ConformanceRun(app, probe, random, submit);
        await run.OpenAsync(steward);
        return run;
    }

    /// <summary>Fires one round and finds an order for its answers.</summary>
    public async Task RoundAsync(bool faults)
    {
        var from = TimeProvider.System.Now();
        var calls = _requests.Round(from, groups: !faults);
        Probe.Database = faults ? _app.Get<ShardSessions>().DataSource(ShardRole.Global) : null;
        var flights = (await Task.WhenAll(calls.Select(call => Task.Run(() => FlyAsync(call, faults))))).SelectMany(f => f).ToList();
        Probe.Database = null;
        var to = TimeProvider.System.Now();
        _naive = new OrderSearch(_submit).Find(_naive, flights, from, to) ?? throw new NonconformingException(
            $"no order fits, at version {_naive.Version}:\n{string.Join('\n', flights)}");
        foreach (var (request, answer) in flights.SelectMany(flight => flight.Requests.Zip(flight.Answers)))
            Note(request, answer);
    }

    /// <summary>Compares what the ledger holds with the naive one.</summary>
    public async Task EndAsync()
    {
        var queries = _app.Get<LedgerQueries>();
        foreach (var (code, balance) in _naive.Balances)
        {
            var account = await queries.AccountAsync(ShardRole.Global, code, ChartOfAccounts.Lmr, Ct);
            if (account is null || account.Balance != balance || account.Held != _naive.Held(code))
                throw new NonconformingException($"{code} is {account}, not {balance} with {_naive.Held(code)} held");
        }

        Assert.Equal(BigInteger.Zero, _naive.Balances.Values.Aggregate(BigInteger.Zero, (sum, balance) => sum + balance));
        var verification = await _app.Get<LedgerVerifier>().VerifyAsync(ShardRole.Global, Ct);
        Assert.Empty(verification.Findings);
        if (verification.Events != _naive.Version)
            throw new NonconformingException($"the journal has {verification.Events} events, not {_naive.Version}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients.Values)
            client.Dispose();
        await _app.DisposeAsync();
    }

    private async Task OpenAsync(TestWallet steward)
    {
        foreach (var code in ChartOfAccounts.Standing)
            _naive.Submit(new LedgerRequest(Actor.System("ledger"), $"open/{code}/LMR", new OpenAccount(code)), default);
        var people = new List<Actor>();
        for (var i = 0; i < People; i++)
        {
            var id = await SignInAsync(new TestWallet());
            people.Add(new Actor(id, Roles.None));
            await SetUpAsync($"open-{i}", new OpenAccount(ChartOfAccounts.Available(id)));
            await SetUpAsync($"fund-{i}", LedgerHarness.Pay(ChartOfAccounts.Emission, ChartOfAccounts.Available(id), Funds));
        }

        _requests = new RandomRequests(_random, people, new Actor(await SignInAsync(steward), Roles.Steward));
    }

    private async Task<string> SignInAsync(TestWallet wallet)
    {
        var client = _app.CreateClient();
        var id = (await wallet.SignInAsync(client, Ct)).ParticipantId;
        _clients[id] = client;
        return id;
    }

    private async Task SetUpAsync(string key, LedgerCommand command)
    {
        var request = new LedgerRequest(Network, key, command);
        var posted = Assert.IsType<LedgerOutcome.Posted>(await Ledger.AskAsync(request));
        Assert.Equal(("ok", false), _naive.Submit(request, posted.At));
        Assert.Equal(_naive.JournalVersionOf(request), posted.JournalVersion);
    }

    private async Task<IEnumerable<Flight>> FlyAsync(Call call, bool faults)
    {
        IReadOnlyList<LedgerAnswer> answers;
        do
            answers = await TryAsync(call, faults);
        while (answers.Any(answer => answer.Code is "busy" or "unavailable" or "lost"));
        return call.Bulk == BulkMode.AllOrNothing
            ? [new Flight(call.Requests, answers, faults)]
            : call.Requests.Zip(answers, (request, answer) => new Flight([request], [answer], faults));
    }

    private async Task<IReadOnlyList<LedgerAnswer>> TryAsync(Call call, bool faults)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        // Some clients hang up before their answer comes.
        if (faults && Random.Shared.Next(12) == 0)
            patience.CancelAfter(Random.Shared.Next(0, 20));
        var request = call.Requests[0];
        try
        {
            if (ChartOfAccounts.IsSystem(request.Actor))
                return [LedgerAnswer.Of(await Ledger.SubmitAsync(request, patience.Token))];
            var client = _clients[request.Actor.Id];
            return call.Bulk is { } mode
                ? await client.AskAllAsync(call.Requests, mode, patience.Token)
                : [await client.AskAsync(request, patience.Token)];
        }
        catch (Exception lost) when (faults && !Ct.IsCancellationRequested
            && lost is LedgerUnavailableException or OperationCanceledException or HttpRequestException or IOException)
        {
            return [new LedgerAnswer("lost")];
        }
    }

    private void Note(LedgerRequest request, LedgerAnswer answer)
    {
        Seen.AddOrUpdate($"{request.Command.GetType().Name} {answer.Code}", 1, (_, count) => count + 1);
        _requests.Learn(request, answer);
        if (answer.Version is { } version)
            Assert.Equal((request.Key, answer.At), _places.GetOrAdd(version, (request.Key, answer.At)));
    }
}
