using Lumora.Chain.Blobs;
using Lumora.Chain.Log;
using Lumora.Chain.Verification;
using Lumora.Domain.Log;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;
using Wolverine.Runtime;
using Wolverine.Runtime.Agents;

namespace Lumora.Integration.Tests.Log;

/// <summary>
/// The full check of a log: events, leaves, head and published files against each other, every one of them.
/// </summary>
internal static class WholeLog
{
    // What must not be found. An event of the shard is one leaf, in the order of the sequence, and nothing else is.
    private static readonly string[] s_faults =
    [
        """
        select 'event or leaf alone: ' || coalesce(event.seq_id, leaf.seq_id)
        from mt_events event full join log_leaves leaf on leaf.event_id = event.id and leaf.seq_id = event.seq_id
        where event.id is null or leaf.event_id is null
        """,
        """
        select 'order at leaf ' || leaf_index
        from (select leaf_index, row_number() over (order by seq_id) - 1 as place from log_leaves) leaf where leaf_index <> place
        """,
        """
        select 'head: ' || head::text
        from log_head head
        where size <> (select count(*) from log_leaves) or last_seq_id <> (select max(seq_id) from log_leaves)
        """,
    ];

    // Where sequencing stands, for whoever reads why it stands still.
    private static readonly string[] s_standing =
    [
        "select 'events: ' || count(*) || ' up to ' || max(seq_id) from mt_events",
        "select 'head: ' || head::text from log_head head",
        "select 'progress: ' || progress::text from mt_event_progression progress",
        """
        select 'session: ' || state || ' ' || coalesce(wait_event_type || '/' || wait_event, '') || ' since ' || now() - state_change || ': ' || left(query, 200)
        from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'
        """,
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Waits until every event is published, then checks all of it. Answers the log's size.</summary>
    public static async Task<long> AssertAsync(LumoraApp app)
    {
        var log = app.Get<ShardLogs>().Find(ShardMap.DefaultShard)!;
        var size = await SettledAsync(app);
        Assert.Empty(await TextsAsync(app, string.Join(" union all ", s_faults)));

        var entries = new List<byte[]>();
        var report = await LogFsck.RunAsync(
            new BlobTiles(log.Blobs), log.Key, log.Served.Read()!.Value.Note, (_, entry) => entries.Add(entry.ToArray()), Ct);
        Assert.Empty(report.Problems);
        Assert.Equal(size, report.Size);
        // The tree is that of the events: what each entry says stands in its event.
        Assert.Equal(
            await TextsAsync(app, "select id || ' ' || type || ' ' || stream_id || ' ' || version from mt_events order by seq_id"),
            entries.ConvertAll(entry => Leaf.Decode(entry).Leaf)
                .ConvertAll(leaf => string.Create(
                    System.Globalization.CultureInfo.InvariantCulture, $"{leaf.Id} {leaf.Type} {leaf.Stream} {leaf.Version}")));
        return size;
    }

    private static async Task<long> SettledAsync(LumoraApp app)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(Patience.Time);
        var logs = app.Get<ShardLogs>();
        try
        {
            for (var size = 0L; ;)
            {
                size = (await logs.WaitForLargerAsync(ShardMap.DefaultShard, size, limit.Token)).Checkpoint.Size;
                // Nobody appends meanwhile.
                await using var command = app.Get<ShardSessions>().DataSource(ShardRole.Region).CreateCommand(
                    "select count(*) from mt_events");
                if ((long)(await command.ExecuteScalarAsync(limit.Token))! == size)
                    return size;
            }
        }
        catch (OperationCanceledException late) when (limit.IsCancellationRequested && !Ct.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"Not all events were published within {Patience.Time}.\n{string.Join('\n', await TextsAsync(app, string.Join(" union all ", s_standing)))}\n"
                + string.Join('\n', Agents(app)),
                late);
        }
    }

    private static IEnumerable<string> Agents(LumoraApp app) =>
        ((WolverineRuntime)app.Get<IWolverineRuntime>()).NodeController!.Agents.Values.OfType<IEventSubscriptionAgent>()
            .Select(agent => $"agent: {agent.Uri} is {agent.Status}: {agent.Failure?.Message}");

    private static async Task<List<string>> TextsAsync(LumoraApp app, string sql)
    {
        await using var command = app.Get<ShardSessions>().DataSource(ShardRole.Region).CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(Ct);
        var texts = new List<string>();
        while (await reader.ReadAsync(Ct))
            texts.Add(await reader.GetFieldValueAsync<string>(0, Ct));
        return texts;
    }
}
