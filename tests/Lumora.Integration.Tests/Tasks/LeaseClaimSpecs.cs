using Lumora.Api.Tasks;
using Lumora.Projections.EventStore;
using Lumora.Projections.Nodes;

namespace Lumora.Integration.Tests.Tasks;

public sealed class LeaseClaimSpecs(WorkFixture fixture) : IClassFixture<WorkFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_task_is_given_to_one_node_only_however_many_ask_at_once()
    {
        var nodes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => fixture.NodeAsync()));
        var collection = await fixture.CollectionAsync(pages: 4);
        var claims = fixture.App.Get<LeaseClaims>();
        var views = await Task.WhenAll(nodes.Select(async node =>
        {
            await using var session = fixture.Sessions.Query(ShardRole.Region);
            return (await session.LoadAsync<NodeView>($"node/{node.Id}", Ct))!;
        }));

        var leases = (await Task.WhenAll(views.Concat(views).Select(view => claims.TryClaimAsync(view, Ct))))
            .Where(lease => lease?.CollectionId == collection.CollectionId).ToList();

        Assert.Equal(4, leases.Count);
        Assert.Equal(4, leases.Select(lease => lease!.TaskId).Distinct(StringComparer.Ordinal).Count());
        foreach (var lease in leases)
        {
            Assert.Null(await fixture.App.Get<LeaseEnds>().RefuseAsync(
                lease!.LeaseId, (await fixture.TaskAsync(lease.TaskId))!.Lease!.NodeId, "test", "", Ct));
        }
    }
}
