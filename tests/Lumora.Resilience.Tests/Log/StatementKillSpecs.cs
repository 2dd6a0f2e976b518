using Lumora.Api.Embedded;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.Hosting;
using Lumora.Resilience.Tests.Infrastructure;
using Npgsql;

namespace Lumora.Resilience.Tests.Log;

/// <summary>
/// The host dies by kill −9 while each of the statements with which it writes a page of leaves is on its way to the database, and once
/// between the commit and its answer ("failed but persisted"). The next host goes on. In random order, each once; with
/// <c>LUMORA_LONG=1</c> four times.
/// </summary>
public sealed class StatementKillSpecs : IAsyncLifetime
{
    private const string Commit = "COMMIT";
    private const string Written = "update log_head";

    private static readonly StatementFault[] s_places =
    [
        .. new[]
        {
            "select seq_id, id, stream_id", "update public.mt_event_progression", "insert into log_head",
            "select size from log_head where id = 1 for update", "with head as materialized", Written, "notify lumora_log",
        }.Select(statement => new StatementFault(statement, Break.Held)),
        new StatementFault(Commit, Break.Held, In: Written),
        new StatementFault(Commit, Break.AnswerHeld, In: Written),
    ];

    private readonly HomeFolder _home = new();
    private readonly HomeFolder _database = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _home.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Whichever_statement_of_a_page_the_host_dies_at_the_log_loses_and_doubles_nothing()
    {
        var places = Enumerable.Range(0, LongForm.IsAsked ? 4 : 1).SelectMany(_ => s_places).ToArray();
        LongForm.NewRandom().Shuffle(places);
        await using var server = await EmbeddedPostgres.StartAsync(new LumoraHome(_database.Path), _ => { }, Ct);
        await using var postgres = await FaultyPostgres.StartAsync(server.ConnectionString);
        var people = new List<string>();
        foreach (var place in places)
        {
            TestContext.Current.TestOutputHelper!.WriteLine($"{place}");
            await using var host = await StartAsync(postgres);
            postgres.Arm(place);
            people.Add(await SignInAsync(host));
            await postgres.HeldAsync(Ct).WaitAsync(Patience.Time, Ct);
            await host.KillAsync();
        }

        await using var last = await StartAsync(postgres);
        people.Add(await SignInAsync(last));
        await PublishedLog.WhenAsync(
            _home, last,
            log => people.TrueForAll(id => log.Leaves.Any(entry => entry.Leaf.Stream == $"participant/{id}")), Ct);
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
        await LeafTable.AssertWholeAsync(database, Ct);
        await last.StopAsync();
    }

    private Task<HostProcess> StartAsync(FaultyPostgres postgres) => HostProcess.StartAsync(
        _home.Path, "--ConnectionStrings:Lumora", postgres.ConnectionString, "--Lumora:Identity:AttemptsPerMinute", "1000");

    private static async Task<string> SignInAsync(HostProcess host)
    {
        using var client = new HttpClient { BaseAddress = host.Address };
        return (await new TestWallet().SignInAsync(client, Ct)).ParticipantId;
    }
}
