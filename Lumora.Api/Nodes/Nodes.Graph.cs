using GraphQL;
using Lumora.Api.Nodes;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Projections.EventStore;
using Lumora.Projections.Nodes;
using Npgsql;

namespace Lumora.Api.GraphQL;

/// <summary>A machine of yours that works for the network.</summary>
/// <param name="Id">base58 of its Ed25519 public key.</param>
/// <param name="Region">Coarse region, where you told one.</param>
/// <param name="Limits">What you allow it to spend.</param>
/// <param name="SuspendedBecause">Why it gets no work; null while it does.</param>
/// <param name="RegisteredAt">When you registered it.</param>
public sealed record ProviderNode(
    [property: Id] string Id, string? Region, ProviderNodeLimits Limits, string? SuspendedBecause,
    DateTimeOffset RegisteredAt)
{
    internal static ProviderNode From(NodeView view) => new(
        view.NodeId, view.Region,
        new ProviderNodeLimits(
            view.Limits.DailyBytesMax, view.Limits.ConcurrentLeasesMax, view.Limits.BytesPerSecondMax,
            view.Limits.BlockedHosts),
        view.SuspendedBecause, view.RegisteredAt);
}

/// <summary>What a provider allows one node to spend and to visit.</summary>
/// <param name="DailyBytesMax">Bytes of pages per UTC day; null: no cap.</param>
/// <param name="ConcurrentLeasesMax">Tasks at a time.</param>
/// <param name="BytesPerSecondMax">Rate; null: no cap.</param>
/// <param name="BlockedHosts">Hosts that it never visits.</param>
public sealed record ProviderNodeLimits(
    long? DailyBytesMax, int ConcurrentLeasesMax, long? BytesPerSecondMax, IReadOnlyList<string> BlockedHosts);

/// <summary>How a node of yours does.</summary>
/// <param name="Node">The node.</param>
/// <param name="OpenLeases">Tasks that it holds now.</param>
/// <param name="Accepted">Results accepted so far.</param>
/// <param name="Failed">Results refused, leases given back or run out.</param>
/// <param name="LastLeaseAt">When it last took a task; null: never.</param>
/// <param name="Failures">The last leases that failed, newest first, at most 20.</param>
public sealed record NodeDiagnostics(
    ProviderNode Node, int OpenLeases, int Accepted, int Failed, DateTimeOffset? LastLeaseAt,
    IReadOnlyList<FailedLease> Failures);

/// <summary>A lease that gave no accepted result.</summary>
/// <param name="LeaseId">The lease.</param>
/// <param name="State">rejected, refused or expired.</param>
/// <param name="Code">Stable reason.</param>
/// <param name="Detail">For people.</param>
/// <param name="EndedAt">When it ended.</param>
public sealed record FailedLease([property: Id] string LeaseId, string State, string Code, string Detail, DateTimeOffset EndedAt);

/// <summary>A node to register.</summary>
/// <param name="NodeId">base58 of the node's Ed25519 public key.</param>
/// <param name="Proof">base64 of the node's signature over "lumora-node/1\nregister\n" and your participant id.</param>
/// <param name="Region">Coarse region, for example eu-west; optional.</param>
public sealed record RegisterNodeInput(string NodeId, string Proof, string? Region);

/// <summary>New limits of a node; what is left out is not limited.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="DailyBytesMax">Bytes of pages per UTC day, at least 1 MiB.</param>
/// <param name="ConcurrentLeasesMax">Tasks at a time, 1 to 16; 2 when left out.</param>
/// <param name="BytesPerSecondMax">Rate, at least 1 KiB/s.</param>
/// <param name="BlockedHosts">Hosts that it must never visit.</param>
public sealed record SetNodeLimitsInput(
    string NodeId, long? DailyBytesMax, int? ConcurrentLeasesMax, long? BytesPerSecondMax,
    IReadOnlyList<string>? BlockedHosts);

/// <summary>A node, or why not.</summary>
/// <param name="Node">The node; null when refused.</param>
/// <param name="Error">Why it was refused.</param>
public sealed record NodePayload(ProviderNode? Node, UserError? Error);

public sealed partial class Query
{
    /// <summary>Your nodes, ordered by id.</summary>
    [AllowSignedIn]
    public static async Task<Connection<ProviderNode>> Nodes(
        IResolveFieldContext context, [FromServices] ShardSessions sessions, PageRequest page, CancellationToken ct)
    {
        await using var session = sessions.Query(ShardRole.Region);
        var rows = await session.QueryAsync<NodeView>(
            "where data ->> 'owner' = ? and (? = '' or data ->> 'nodeId' > ?) and (? = '' or data ->> 'nodeId' < ?) "
            + $"order by data ->> 'nodeId' {(page.Backward ? "desc" : "asc")} limit ?",
            ct, context.Actor().Id, page.After ?? "", page.After ?? "", page.Before ?? "", page.Before ?? "", page.Take);
        return page.Page([.. rows.Select(ProviderNode.From)], node => node.Id);
    }

    /// <summary>How one of your nodes does; null when you have none with this id.</summary>
    /// <param name="nodeId">The node.</param>
    [AllowSignedIn]
    public static async Task<NodeDiagnostics?> NodeDiagnostics(
        IResolveFieldContext context, [FromServices] ShardSessions sessions, [Id] string nodeId, CancellationToken ct)
    {
        await using var session = sessions.Query(ShardRole.Region);
        var node = await session.LoadAsync<NodeView>(NodeState.StreamOf(nodeId), ct);
        return node?.Owner == context.Actor().Id ? await NodeReports.ReadAsync(sessions, node, ct) : null;
    }
}

public sealed partial class Mutation
{
    /// <summary>Registers a node of yours; the node proves with its key that it agrees.</summary>
    /// <param name="input">The node.</param>
    [AllowSignedIn]
    public static async Task<NodePayload> RegisterNode(
        IResolveFieldContext context, [FromServices] ShardSessions sessions, [FromServices] ICurve25519 curve,
        [FromServices] TimeProvider clock, RegisterNodeInput input, CancellationToken ct)
    {
        var command = new RegisterNode(
            context.Actor(), input.NodeId, input.Proof, input.Region, NodeAllowance.Default);
        return Payload(await RegisterNodeHandler.HandleAsync(command, sessions, curve, clock, ct));
    }

    /// <summary>Sets all limits of a node of yours; they hold for tasks that it takes from now on.</summary>
    /// <param name="input">The limits.</param>
    [AllowSignedIn]
    public static async Task<NodePayload> SetNodeLimits(
        IResolveFieldContext context, [FromServices] ShardSessions sessions, [FromServices] TimeProvider clock,
        SetNodeLimitsInput input, CancellationToken ct)
    {
        var limits = new NodeAllowance(
            input.DailyBytesMax, input.ConcurrentLeasesMax ?? NodeAllowance.Default.ConcurrentLeasesMax,
            input.BytesPerSecondMax, input.BlockedHosts ?? []);
        return Payload(await SetNodeLimitsHandler.HandleAsync(
            new SetNodeLimits(context.Actor(), input.NodeId, limits), sessions, clock, ct));
    }

    private static NodePayload Payload(Result<NodeView> result) => new(
        result.Value is { } node ? ProviderNode.From(node) : null, UserError.From(result.Rejection));
}

/// <summary>Reads what a node did.</summary>
internal static class NodeReports
{
    private const int FailuresShown = 20;

    /// <summary>The counts and last failures of <paramref name="node"/>.</summary>
    public static async Task<NodeDiagnostics> ReadAsync(ShardSessions sessions, NodeView node, CancellationToken ct)
    {
        await using var counts = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select count(*) filter (where state = 'leased'), count(*) filter (where state = 'accepted'), "
            + "count(*) filter (where state in ('rejected', 'refused', 'expired')), max(leased_at) "
            + "from work_lease where node_id = $1");
        counts.Parameters.Add(new NpgsqlParameter { Value = node.NodeId });
        await using var row = await counts.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return new NodeDiagnostics(
            ProviderNode.From(node), (int)row.GetInt64(0), (int)row.GetInt64(1), (int)row.GetInt64(2),
            row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3), await FailuresAsync(sessions, node, ct));
    }

    private static async Task<List<FailedLease>> FailuresAsync(
        ShardSessions sessions, NodeView node, CancellationToken ct)
    {
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select lease_id, state, coalesce(code, ''), coalesce(detail, ''), ended_at from work_lease "
            + "where node_id = $1 and state in ('rejected', 'refused', 'expired') order by leased_at desc limit $2");
        command.Parameters.Add(new NpgsqlParameter { Value = node.NodeId });
        command.Parameters.Add(new NpgsqlParameter { Value = FailuresShown });
        var failures = new List<FailedLease>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            failures.Add(new FailedLease(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3),
                reader.GetFieldValue<DateTimeOffset>(4)));
        }

        return failures;
    }
}
