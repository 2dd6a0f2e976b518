using Lumora.Api.EventStore;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Projections.EventStore;
using Lumora.Projections.Tasks;
using Marten;
using Npgsql;

namespace Lumora.Api.Tasks;

/// <summary>Cuts approved collections into tasks and says when the last task of one has ended.</summary>
internal sealed class CollectionWorker(
    ShardSessions sessions, SitemapReader sitemaps, WorkSignals signals, TimeProvider clock,
    ILogger<CollectionWorker> logger)
    : Worker(logger)
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);
    private static readonly Actor Self = Actor.System("tasks");

    /// <inheritdoc/>
    protected override async Task<bool> PassAsync(CancellationToken ct)
    {
        await using var query = sessions.Query(ShardRole.Region);
        var approved = await query.Query<CollectionView>()
            .Where(view => view.Phase == CollectionPhase.Approved).ToListAsync(ct);
        foreach (var collection in approved)
            await PlanAsync(collection, ct);
        var running = await query.Query<CollectionView>()
            .Where(view => view.Phase == CollectionPhase.Running).ToListAsync(ct);
        foreach (var collection in running)
            await CompleteAsync(collection, ct);
        return approved.Count > 0;
    }

    /// <inheritdoc/>
    protected override Task IdleAsync(CancellationToken ct) => signals.Collections.WaitAsync(Poll, ct);

    private async Task PlanAsync(CollectionView collection, CancellationToken ct)
    {
        var urls = (IReadOnlyList<string>)collection.Plan.Urls;
        Rejection? problem = null;
        if (collection.Plan.Sitemap is not null)
        {
            var read = await sitemaps.ReadAsync(collection.Plan, ct);
            (urls, problem) = (read.Value ?? [], read.Rejection);
        }

        await using var session = sessions.Open(ShardRole.Region, Self);
        var stream = await session.Events.FetchForWriting<CollectionState>(collection.Id, ct);
        var (state, now) = (stream.Aggregate!, clock.Now());
        if (state.Phase != CollectionPhase.Approved)
            return;
        var batches = TaskCutter.Cut(state.Plan, urls);
        var decision = problem is null
            ? CollectionDecider.Plan(state, batches, now)
            : Decision.Accept(new CollectionFailed(state.CollectionId, problem.Code, problem.Message, now));
        for (var i = 0; i < batches.Count; i++)
        {
            // One millisecond apart, so that the ids sort as the collection does.
            var id = TypeId.Format("task", Guid.CreateVersion7(now.AddMilliseconds(i)));
            session.Events.StartStream<TaskState>(
                TaskState.StreamOf(id),
                new TaskCreated(id, state.CollectionId, batches[i].Host, batches[i].Urls, state.Plan.AttemptsMax, now));
        }

        await session.CommitAsync(stream, decision, ct);
        signals.Leases.Set();
    }

    private async Task CompleteAsync(CollectionView collection, CancellationToken ct)
    {
        var (accepted, abandoned, records) = await EndedAsync(collection.CollectionId, ct);
        if (accepted + abandoned < collection.Tasks)
            return;
        await using var session = sessions.Open(ShardRole.Region, Self);
        var stream = await session.Events.FetchForWriting<CollectionState>(collection.Id, ct);
        var decision = CollectionDecider.Complete(stream.Aggregate!, accepted, abandoned, records, clock.Now());
        await session.CommitAsync(stream, decision, ct);
    }

    private async Task<(int Accepted, int Abandoned, long Records)> EndedAsync(string collectionId, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select count(*) filter (where phase = 'accepted'), count(*) filter (where phase = 'abandoned'), "
            + "coalesce(sum(records) filter (where phase = 'accepted'), 0) from work_task where collection_id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = collectionId });
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return ((int)reader.GetInt64(0), (int)reader.GetInt64(1), reader.GetInt64(2));
    }
}
