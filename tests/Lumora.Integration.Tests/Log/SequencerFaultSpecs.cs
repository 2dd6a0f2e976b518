using Lumora.Integration.Tests.Infrastructure;

namespace Lumora.Integration.Tests.Log;

/// <summary>
/// Every statement with which a page of leaves is written, broken in every way that a database or the way to it breaks; also the
/// commit that is done and whose answer gets lost. The log then goes on by itself, and is checked as a whole. <c>LUMORA_LONG=1</c>
/// breaks each in four ways, else the connection is cut.
/// </summary>
public sealed class SequencerFaultSpecs(TestDatabases databases)
{
    private const string Commit = "COMMIT";

    // More than two pages, so that full ones are committed in front of the last.
    private const int EventsInOneCommit = 4_270;

    private static readonly string[] s_written =
    [
        "insert into log_head", "select size from log_head where id = 1 for update", "with head as materialized", "update log_head",
        "notify lumora_log",
    ];

    private static readonly Break[] s_breaks = Environment.GetEnvironmentVariable("LUMORA_LONG") == "1"
        ? [Break.Transient, Break.Refused, Break.Terminated, Break.Cut]
        : [Break.Cut];

    /// <summary>The last page of a range: Marten's session commits it together with the subscription's progress.</summary>
    [Fact]
    public async Task Whatever_breaks_while_a_page_is_committed_with_the_progress_the_log_goes_on_and_is_whole()
    {
        await using var postgres = await FaultyPostgres.StartAsync(await databases.CreateAsync());
        await using var app = new LumoraApp(postgres.ConnectionString);
        await app.StartAsync();
        await LogBench.AppendManyAsync(app, 1);
        await WholeLog.AssertAsync(app);
        foreach (var fault in Faults("update public.mt_event_progression"))
        {
            postgres.Arm(fault);
            await LogBench.AppendManyAsync(app, 1);
            TestContext.Current.TestOutputHelper!.WriteLine($"{fault}");
            await WholeLog.AssertAsync(app);
            Assert.Equal(0, postgres.Armed);
        }

        await LogBench.AppendManyAsync(app, 3);
        await WholeLog.AssertAsync(app);
    }

    /// <summary>Pages that are committed in front of the last one, in a transaction of the sequencer's own.</summary>
    [Fact]
    public async Task Whatever_breaks_while_full_pages_are_committed_in_front_the_log_goes_on_and_is_whole()
    {
        await using var postgres = await FaultyPostgres.StartAsync(await databases.CreateAsync());
        await using var app = new LumoraApp(postgres.ConnectionString);
        await app.StartAsync();
        postgres.Arm(Faults());
        await LogBench.AppendManyAsync(app, EventsInOneCommit);
        Assert.InRange(await WholeLog.AssertAsync(app), EventsInOneCommit, long.MaxValue);
        Assert.Equal(0, postgres.Armed);

        await LogBench.AppendManyAsync(app, 3);
        await WholeLog.AssertAsync(app);
    }

    /// <summary>What the publisher asks for: to be woken, the size, the leaves.</summary>
    [Fact]
    public async Task Whatever_breaks_while_the_publisher_listens_and_reads_it_goes_on_and_the_log_is_whole()
    {
        await using var postgres = await FaultyPostgres.StartAsync(await databases.CreateAsync());
        await using var app = new LumoraApp(postgres.ConnectionString);
        await app.StartAsync();
        await LogBench.AppendManyAsync(app, 1);
        await WholeLog.AssertAsync(app);
        foreach (var statement in (string[])["listen lumora_log", "select size from log_head", "select leaf_index, hash, bytes"])
        {
            foreach (var with in s_breaks)
            {
                postgres.Arm(new StatementFault(statement, with));
                await LogBench.AppendManyAsync(app, 1);
                await Patience.UntilAsync(() => postgres.Armed == 0);
                await LogBench.AppendManyAsync(app, 1);
                await WholeLog.AssertAsync(app);
            }
        }
    }

    private static IEnumerable<StatementFault> Faults(params string[] more)
    {
        foreach (var with in s_breaks)
        {
            yield return new StatementFault("select seq_id, id, stream_id", with);
            foreach (var statement in (string[])[.. more, .. s_written])
                yield return new StatementFault(statement, with);
            yield return new StatementFault(Commit, with, In: "update log_head");
        }

        yield return new StatementFault(Commit, Break.AnswerLost, In: "update log_head");
    }
}
