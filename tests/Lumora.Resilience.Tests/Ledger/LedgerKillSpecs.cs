using System.Globalization;
using System.Text.Json;
using Lumora.Domain.Kernel;
using Lumora.Domain.Ledger;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Integration.Tests.Ledger;
using Lumora.Projections.Ledger;
using Lumora.Resilience.Tests.Infrastructure;

namespace Lumora.Resilience.Tests.Ledger;

/// <summary>
/// The host, or its whole database, dies by kill −9 while the ledger stands at a named point of a commit
/// (<c>Lumora:Development:LedgerStop</c>) and clients wait for their answers. The next host has to give them the right
/// ones, and so does a host that outlives its database. Each point and victim once, in random order, on one ledger; with
/// <c>LUMORA_LONG=1</c> four times.
/// </summary>
public sealed class LedgerKillSpecs : IAsyncLifetime
{
    private const int Transfers = 8;
    private const long Funds = 1_000_000;

    private readonly HomeFolder _home = new();
    private readonly TestWallet[] _wallets = [new(), new()];
    private readonly string[] _people = new string[2];
    private readonly long[] _balances = [Funds, Funds];
    private readonly HttpClient?[] _clients = new HttpClient?[2];
    private readonly string _signs = Directory.CreateTempSubdirectory("lumora-stop-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            client?.Dispose();
        await _home.DisposeAsync();
        Directory.Delete(_signs, recursive: true);
    }

    [Fact]
    public async Task Whatever_dies_at_whichever_point_of_a_commit_each_transfer_has_one_effect_and_one_answer()
    {
        var random = LongForm.NewRandom();
        var deaths = Enumerable.Range(0, LongForm.IsAsked ? 4 : 1).SelectMany(_ => Enum.GetValues<CommitPoint>())
            .SelectMany(point => (Death[])[new(point, OfDatabase: false), new(point, OfDatabase: true)]).ToArray();
        random.Shuffle(deaths);
        var host = await StartAsync(0, deaths[0]);
        try
        {
            for (var i = 0; i < _people.Length; i++)
                await FundAsync(host, Code(i));
            for (var round = 0; round < deaths.Length; round++)
            {
                var asked = Enumerable.Range(0, Transfers).Select(i => Transfer(round, i, random.Next(1, 1_000))).ToList();
                await DieAsync(host, round, deaths[round], asked);
                await host.DisposeAsync();
                host = await StartAsync(round + 1, round + 1 < deaths.Length ? deaths[round + 1] : null);
                await RepeatAsync(deaths[round], asked);
            }

            await CheckAsync(host, deaths.Length * Transfers);
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_host_outlives_its_database_at_whichever_point_of_a_commit_and_each_transfer_has_one_effect_and_one_answer()
    {
        var random = LongForm.NewRandom();
        var points = Enumerable.Range(0, LongForm.IsAsked ? 4 : 1).SelectMany(_ => Enum.GetValues<CommitPoint>()).ToArray();
        random.Shuffle(points);
        for (var round = 0; round < points.Length; round++)
        {
            var death = new Death(points[round], OfDatabase: true);
            await using var host = await StartAsync(round, death);
            for (var i = 0; round == 0 && i < _people.Length; i++)
                await FundAsync(host, Code(i));
            var asked = Enumerable.Range(0, Transfers).Select(i => Transfer(round, i, random.Next(1, 1_000))).ToList();
            await File.WriteAllTextAsync(Sign(round), "", Ct);
            var waiting = AskUntilDoneAsync(asked);
            await host.PrintedAsync($"stands still at {death.Point}");
            await _home.KillDatabaseAsync();
            File.Delete(Sign(round));

            var first = await waiting;
            await host.PrintedAsync("PostgreSQL runs again");
            await CheckAnswersAsync(asked, first, await AskAllAsync(asked));
            if (round == points.Length - 1)
                await CheckAsync(host, points.Length * Transfers);
            await host.StopAsync();
        }
    }

    // As clients do who hear "unavailable": again, with the same key.
    private Task<LedgerAnswer[]> AskUntilDoneAsync(List<LedgerRequest> asked) =>
        Task.WhenAll(asked.Select((request, i) => Patience.ForAsync(
            async () => await AskAsync(i, request) is var answer && answer.Code != "unavailable" ? answer : null)));

    // Everybody asks once the ledger stands still at the next commit, and nobody gets an answer.
    private async Task DieAsync(HostProcess host, int round, Death death, List<LedgerRequest> asked)
    {
        await File.WriteAllTextAsync(Sign(round), "", Ct);
        var lost = asked.Select((request, i) => TryAsync(i, request)).ToList();
        await host.PrintedAsync($"stands still at {death.Point}");
        if (death.OfDatabase)
            await _home.KillDatabaseAsync();
        await host.KillAsync();
        Assert.All(await Task.WhenAll(lost), Assert.Null);
    }

    private async Task RepeatAsync(Death death, List<LedgerRequest> asked)
    {
        TestContext.Current.TestOutputHelper!.WriteLine($"{death}");
        var first = await AskAllAsync(asked);
        var second = await AskAllAsync(asked);
        // Only what was committed before the death is a replay when it is repeated for the first time.
        Assert.Equal(death.Point == CommitPoint.AfterCommit, first.Any(answer => answer.Replayed));
        await CheckAnswersAsync(asked, first, second);
        // What is wrong stays wrong: the short form looks once, at the end.
        if (LongForm.IsAsked)
            await VerifyAsync();
    }

    private async Task CheckAnswersAsync(List<LedgerRequest> asked, LedgerAnswer[] first, LedgerAnswer[] second)
    {
        Assert.All(first, answer => Assert.Equal(LedgerAnswer.Ok, answer.Code));
        Assert.Equal(asked.Count, first.Select(answer => answer.Version).Distinct().Count());
        Assert.Equal(first.Select(answer => answer with { Replayed = true }), second);
        for (var i = 0; i < asked.Count; i++)
        {
            var units = ((PostTransaction)asked[i].Command).Postings[0].Amount.Units;
            _balances[i % 2] -= units;
            _balances[(i + 1) % 2] += units;
        }

        for (var i = 0; i < _people.Length; i++)
            Assert.Equal(_balances[i], await BalanceAsync(i));
    }

    private async Task CheckAsync(HostProcess host, int transfers)
    {
        var log = await PublishedLog.WhenAsync(
            _home, host, log => log.Transactions(OwnMoney.TransferKind) >= transfers, Ct);
        Assert.Equal(transfers, log.Transactions(OwnMoney.TransferKind));
        await VerifyAsync();
    }

    // Journal, fence, outcomes, entries and balances against each other, as an operator would ask.
    private async Task VerifyAsync()
    {
        var (exitCode, report) = await CommandLine.RunAsync(_home.Path, "verify-ledger");
        Assert.True(exitCode == 0, report);
    }

    private async Task<HostProcess> StartAsync(int round, Death? death)
    {
        // A busy machine may take longer than a client would wait: that is not what this is about.
        string[] arguments = ["--Lumora:GraphQL:Timeout", "00:01:00", "--Lumora:Identity:AttemptsPerMinute", "1000"];
        var host = await HostProcess.StartWithDoorAsync(_home.Path, death is null ? arguments :
        [
            .. arguments, "--Lumora:Development:LedgerStop:Point", $"{death.Point}",
            "--Lumora:Development:LedgerStop:WhenFile", Sign(round),
        ]);
        for (var i = 0; i < _wallets.Length; i++)
        {
            _clients[i]?.Dispose();
            _clients[i] = new HttpClient { BaseAddress = host.Address };
            _people[i] = (await _wallets[i].SignInAsync(_clients[i]!, Ct)).ParticipantId;
        }

        return host;
    }

    private static async Task FundAsync(HostProcess host, string code)
    {
        var network = Actor.System("test");
        await LedgerDoor.PostAsync(host.Client, new(network, $"open/{code}", new OpenAccount(code)), Ct);
        await LedgerDoor.PostAsync(host.Client, new(network, $"fund/{code}", Pay("test", ChartOfAccounts.Emission, code, Funds)), Ct);
    }

    // The two pay each other in turn.
    private LedgerRequest Transfer(int round, int i, int units) => new(
        new Actor(_people[i % 2], Roles.None), string.Create(CultureInfo.InvariantCulture, $"round-{round}-{i}"),
        Pay(OwnMoney.TransferKind, Code(i), Code(i + 1), units));

    private static PostTransaction Pay(string kind, string from, string to, long units) =>
        new(kind, [new Posting(from, to, new Amount(units))]);

    private async Task<LedgerAnswer?> TryAsync(int i, LedgerRequest request)
    {
        try
        {
            return await AskAsync(i, request);
        }
        catch (Exception died) when (died is HttpRequestException or IOException)
        {
            return null;
        }
    }

    private Task<LedgerAnswer> AskAsync(int i, LedgerRequest request) => _clients[i % 2]!.AskAsync(request, Ct);

    private Task<LedgerAnswer[]> AskAllAsync(List<LedgerRequest> asked) =>
        Task.WhenAll(asked.Select((request, i) => AskAsync(i, request)));

    private async Task<long> BalanceAsync(int i)
    {
        using var answer = await _clients[i]!.GetAsync(
            $"/graphql?query={Uri.EscapeDataString($$"""{ account(code: "{{Code(i)}}") { balance } }""")}", Ct);
        var account = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct)).RootElement.GetProperty("data").GetProperty("account");
        return long.Parse(account.GetProperty("balance").GetString()!, CultureInfo.InvariantCulture);
    }

    private string Code(int i) => ChartOfAccounts.Available(_people[i % 2]);

    private string Sign(int round) => Path.Combine(_signs, round.ToString(CultureInfo.InvariantCulture));

    /// <summary>Who dies, and where in a commit.</summary>
    private sealed record Death(CommitPoint Point, bool OfDatabase);
}
