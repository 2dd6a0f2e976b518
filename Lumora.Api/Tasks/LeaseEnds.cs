using Lumora.Api.EventStore;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Projections.EventStore;
using Marten;

using Npgsql;

namespace Lumora.Api.Tasks;

/// <summary>How a lease ends: delivered, given back, or run out.</summary>
internal sealed class LeaseEnds(
    ShardSessions sessions, ResultFiles files, GatewayKey gateway, ICurve25519 curve, WorkSignals signals,
    TimeProvider clock)
{
    private static readonly TimeSpan ClockSkewMax = TimeSpan.FromSeconds(NodeRequest.SkewSecondsMax);

    /// <summary>Null when <paramref name="nodeId"/> may upload under <paramref name="leaseId"/> now.</summary>
    public async Task<Rejection?> WhyNotAsync(string leaseId, string nodeId, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Region, NodeActor(nodeId));
        var stream = await FindAsync(session, leaseId, ct);
        return TaskDecider.WhyNot(stream?.Aggregate, leaseId, nodeId, clock.Now());
    }

    /// <summary>Takes a delivery and countersigns its receipt; the same delivery again gets the same answer.</summary>
    public async Task<Result<ReceiptCountersigned>> CompleteAsync(
        string leaseId, string nodeId, TaskResult result, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Region, NodeActor(nodeId));
        var stream = await FindAsync(session, leaseId, ct);
        var (task, now) = (stream?.Aggregate, clock.Now());
        var output = Countersigned(result);
        var decision = TaskDecider.Complete(task, leaseId, nodeId, output, now);
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        if (((Decision.Accepted)decision).Events.Count == 0)
            return Answer(task!.Output!);
        if (Wrong(task!, nodeId, result, now) is { } wrong)
            return wrong;
        if (await files.KeepAsync(leaseId, result, ct) is { } notKept)
            return notKept;
        await session.CommitAsync(stream!, decision, ct);
        signals.Results.Set();
        signals.Leases.Set();
        return Answer(output);
    }

    /// <summary>The node gives the task back; null when it was taken.</summary>
    public async Task<Rejection?> RefuseAsync(
        string leaseId, string nodeId, string code, string detail, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Region, NodeActor(nodeId));
        var stream = await FindAsync(session, leaseId, ct);
        var decision = TaskDecider.Refuse(stream?.Aggregate, leaseId, nodeId, code, detail, clock.Now());
        if (decision is Decision.Rejected rejected)
            return rejected.Reason;
        await session.CommitAsync(stream!, decision, ct);
        files.Discard(leaseId);
        WakeAfterEnd();
        return null;
    }

    /// <summary>Ends the lease of <paramref name="taskId"/> when its deadline has passed.</summary>
    public async Task ExpireAsync(string taskId, string leaseId, CancellationToken ct)
    {
        await using var session = sessions.Open(ShardRole.Region, Actor.System("tasks"));
        var stream = await session.Events.FetchForWriting<TaskState>(TaskState.StreamOf(taskId), ct);
        await session.CommitAsync(stream, TaskDecider.Expire(stream.Aggregate!, leaseId, clock.Now()), ct);
        files.Discard(leaseId);
        WakeAfterEnd();
    }

    private void WakeAfterEnd()
    {
        signals.Leases.Set();
        signals.Collections.Set();
    }

    private async Task<JasperFx.Events.IEventStream<TaskState>?> FindAsync(
        IDocumentSession session, string leaseId, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region)
            .CreateCommand("select task_id from work_lease where lease_id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = leaseId });
        return await command.ExecuteScalarAsync(ct) is string taskId
            ? await session.Events.FetchForWriting<TaskState>(TaskState.StreamOf(taskId), ct)
            : null;
    }

    /// <summary>What the result contradicts: itself, its lease, or the node's signature.</summary>
    private Rejection? Wrong(TaskState task, string nodeId, TaskResult result, DateTimeOffset now)
    {
        if (NodeProtocolShapes.Check(result) is { } shape)
            return shape;
        var receipt = result.Receipt;
        if (receipt.NodeId != nodeId || receipt.LeaseId != task.Lease!.LeaseId)
            return new Rejection("receipt_wrong", "The receipt is another lease's or another node's.", "receipt");
        var signature = new byte[64];
        if (!Convert.TryFromBase64String(receipt.Sig!, signature, out var length) || length != signature.Length
            || Nodes.NodeKey.Read(nodeId) is not { } key
            || !curve.Ed25519Verify(key, receipt.SigningBytes(), signature))
            return new Rejection("receipt_signature_wrong", "The receipt is not signed by the node.", "receipt.sig");
        if (receipt.Start < (task.Lease.LeasedAt - ClockSkewMax).ToUnixTimeMilliseconds()
            || receipt.End > (now + ClockSkewMax).ToUnixTimeMilliseconds())
            return new Rejection("receipt_time_wrong", "The work lies outside of the lease's time.", "receipt.start");
        return result.Pages.Select(page => page.Url).SequenceEqual(task.Urls, StringComparer.Ordinal)
            ? null
            : new Rejection("pages_wrong", "The result must name each page of the lease, in its order.", "pages");
    }

    private TaskOutput Countersigned(TaskResult result)
    {
        var signed = gateway.Countersign(result.Receipt);
        return new TaskOutput(
            result.ContentRoot, result.Records, result.CiphertextBytes, result.CiphertextSha256,
            [
                .. result.Pages.Select(page => new TaskPage(
                    page.Url, page.FinalUrl, page.Status, page.BodyBytes, page.Sha256, page.Records, page.Outcome)),
            ],
            result.Redactions,
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(result.Receipt.SigningBytes())),
            result.Receipt, signed.GatewayId, signed.Sig!);
    }

    private static ReceiptCountersigned Answer(TaskOutput output) =>
        new(output.Receipt, output.GatewayId, output.GatewaySignature);

    private static Actor NodeActor(string nodeId) => new($"node:{nodeId}", Roles.Node);
}
