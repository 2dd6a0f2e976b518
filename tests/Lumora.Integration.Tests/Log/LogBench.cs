using System.Net.Http.Json;
using System.Text.Json;
using Lumora.Chain.Log;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Integration.Tests.Infrastructure;
using Lumora.Projections.EventStore;

namespace Lumora.Integration.Tests.Log;

/// <summary>Appends facts to a host's log and asks it questions.</summary>
internal static class LogBench
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Appends a fact on a stream of its own.</summary>
    public static async Task<(Guid EventId, string Stream)> AppendAsync(LumoraApp app, string name, string? region = null)
    {
        var stream = $"node/{name}-{Guid.NewGuid():N}";
        await using var session = app.Get<ShardSessions>().Open(ShardRole.Region, Actor.System("test"), "cause-1");
        session.Events.StartStream<NodeState>(stream, new NodeRegistered(
            name, "participant_test", region, NodeAllowance.Default, TimeProvider.System.Now()));
        await session.SaveChangesAsync(Ct);
        await using var command = app.Get<ShardSessions>().DataSource(ShardRole.Region).CreateCommand(
            "select id from mt_events where stream_id = $1 and version = 1");
        command.Parameters.AddWithValue(stream);
        return ((Guid)(await command.ExecuteScalarAsync(Ct))!, stream);
    }

    /// <summary>Appends facts in one commit, each on a stream of its own.</summary>
    public static async Task AppendManyAsync(LumoraApp app, int count)
    {
        await using var session = app.Get<ShardSessions>().Open(ShardRole.Region, Actor.System("test"));
        for (var i = 0; i < count; i++)
        {
            var stream = $"node/{Guid.NewGuid():N}";
            session.Events.StartStream<NodeState>(stream, new NodeRegistered(
                stream, "participant_test", Region: null, NodeAllowance.Default, TimeProvider.System.Now()));
        }

        await session.SaveChangesAsync(Ct);
    }

    /// <summary>Waits until a checkpoint covers the event; answers its index.</summary>
    public static async Task<long> PublishedAsync(LumoraApp app, Guid eventId)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(Patience.Time);
        var logs = app.Get<ShardLogs>();
        for (var size = 0L; ;)
        {
            size = (await logs.WaitForLargerAsync(ShardMap.DefaultShard, size, limit.Token)).Checkpoint.Size;
            if (await logs.Find(ShardMap.DefaultShard)!.Leaves.FindAsync(eventId, limit.Token) is { } leaf && leaf.Index < size)
                return leaf.Index;
        }
    }

    /// <summary>The whole GraphQL answer.</summary>
    public static async Task<JsonElement> AskAsync(HttpClient client, string query, object? variables = null)
    {
        using var response = await client.PostAsJsonAsync("/graphql", new { query, variables }, Ct);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct));
        return document.RootElement.Clone();
    }
}
