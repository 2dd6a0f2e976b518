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
    private readonly LumoraApp _app;
    private readonly Random _random;
    private readonly List<Round> _rounds = [];
    private readonly Dictionary<string, HttpClient> _clients = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, (string Key, DateTimeOffset? At)> _places = [];
    private RandomRequests _requests = null!;
    private NaiveLedger _opened = new();
    private NaiveLedger _naive = new();

    private ConformanceRun(LumoraApp app, FlakyProbe probe, Random random) => (_app, Probe, _random) = (app, probe, random);

    public FlakyProbe Probe { get; }

    public ILedger Ledger => _app.Get<ILedgers>().For(ShardRole.Global);

    /// <summary>How often each command was answered with each code, and what else there was.</summary>
    public ConformanceCoverage Seen { get; } = new();

    public string AnyAccount => _naive.Balances.Keys.First(key => key.Code.StartsWith("participant/", StringComparison.Ordinal)).Code;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<ConformanceRun> StartAsync(TestDatabases databases, int seed)
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
        var run = new ConformanceRun(app, probe, random);
        await run.OpenAsync(steward);
        return run;
    }

    /// <summary>Fires one round and finds an order for its answers.</summary>
    public async Task RoundAsync(bool faults)
    {
        var from = TimeProvider.System.Now();
        var calls = _requests.Round(from);
        Probe.Database = faults ? _app.Get<ShardSessions>().DataSource(ShardRole.Global) : null;
        var flights = (await Task.WhenAll(calls.Select(call => Task.Run(() => FlyAsync(call, faults))))).SelectMany(f => f).ToList();
        Probe.Database = null;
        var round = new Round(flights, from, TimeProvider.System.Now());
        _rounds.Add(round);
        _naive = new OrderSearch(OrderSearch.Plain).Find(_naive, flights, round.From, round.To) ?? throw new NonconformingException(
            $"no order fits, at version {_naive.Version}:\n{string.Join('\n', flights)}");
        foreach (var flight in flights)
            Note(flight);
        Seen.Note(_naive);
    }

    /// <summary>Compares what the ledger holds with the naive one.</summary>
    public async Task EndAsync()
    {
        var queries = _app.Get<LedgerQueries>();
        foreach (var (key, balance) in _naive.Balances)
        {
            var account = await queries.AccountAsync(ShardRole.Global, key.Code, key.Asset, Ct);
            if (account is null || account.Balance != balance || account.Held != _naive.Held(key))
                throw new NonconformingException($"{key} is {account}, not {balance} with {_naive.Held(key)} held");
        }

        // And no account more than those.
        var lines = await _app.Get<LedgerRollUpQueries>().TrialBalanceAsync(ShardRole.Global, Ct);
        Assert.Equal(_naive.Balances.Count, lines.Sum(line => line.Accounts));
        Assert.All(
            _naive.Balances.GroupBy(pair => pair.Key.Asset, pair => pair.Value),
            balances => Assert.Equal(BigInteger.Zero, balances.Aggregate(BigInteger.Zero, (sum, balance) => sum + balance)));
        var verification = await _app.Get<LedgerVerifier>().VerifyAsync(ShardRole.Global, Ct);
        Assert.Empty(verification.Findings);
        if (verification.Events != _naive.Version)
            throw new NonconformingException($"the journal has {verification.Events} events, not {_naive.Version}");
    }

    /// <summary>
    /// Whether a ledger that decides by <paramref name="submit"/> could have given all the answers so far, and would stand where this
    /// one does.
    /// </summary>
    public bool WouldConform(NaiveSubmit submit)
    {
        var (search, naive) = (new OrderSearch(submit), _opened);
        foreach (var round in _rounds)
        {
            if (search.Find(naive, round.Flights, round.From, round.To) is not { } next)
                return false;
            naive = next;
        }

        return naive.Balances.Count == _naive.Balances.Count
            && naive.Balances.All(pair => _naive.Balances.GetValueOrDefault(pair.Key) == pair.Value && naive.Held(pair.Key) == _naive.Held(pair.Key));
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

        foreach (var code in NetworkRequests.OpenInGem(people))
            await SetUpAsync($"open-{code}", new OpenAccount(code, NetworkRequests.Gem));
        _opened = _naive;
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
        var request = new LedgerRequest(NetworkRequests.Network, key, command);
        var posted = Assert.IsType<LedgerOutcome.Posted>(await Ledger.AskAsync(request));
        Assert.Equal(("ok", false), _naive.Submit(request, posted.At));
        Assert.Equal(_naive.JournalVersionOf(request), posted.JournalVersion);
    }

    private async Task<IEnumerable<Flight>> FlyAsync(Call call, bool faults)
    {
        IReadOnlyList<LedgerAnswer> answers;
        var isRepeated = faults;
        while ((answers = await TryAsync(call, faults)).Any(answer => answer.Code is "busy" or "unavailable" or "lost"))
            isRepeated = true;
        return call.Bulk == BulkMode.AllOrNothing
            ? [new Flight(call.Requests, answers, isRepeated)]
            : call.Requests.Zip(answers, (request, answer) => new Flight([request], [answer], isRepeated));
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
        catch (Exception lost) when (!Ct.IsCancellationRequested && (lost is LedgerUnavailableException
            || (faults && lost is OperationCanceledException or HttpRequestException or IOException)))
        {
            return [new LedgerAnswer("lost")];
        }
    }

    private void Note(Flight flight)
    {
        Seen.Note(flight);
        foreach (var (request, answer) in flight.Requests.Zip(flight.Answers))
        {
            _requests.Learn(request, answer);
            if (answer.Version is { } version)
                Assert.Equal((request.Key, answer.At), _places.GetOrAdd(version, (request.Key, answer.At)));
        }
    }

    private sealed record Round(IReadOnlyList<Flight> Flights, DateTimeOffset From, DateTimeOffset To);
}
