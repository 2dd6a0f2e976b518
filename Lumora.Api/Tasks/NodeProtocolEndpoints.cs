using System.Globalization;
using System.Text.Json;
using Lumora.Api.Identity;
using Lumora.Api.Nodes;
using Lumora.Api.Operations;
using Lumora.Domain.Kernel;
using Lumora.Domain.Tasks;
using Lumora.Projections.EventStore;
using Npgsql;

namespace Lumora.Api.Tasks;

/// <summary>The node protocol, <c>/v1/nodes</c>: every request is signed by the node (<see cref="SignedByNode"/>).</summary>
internal static class NodeProtocolEndpoints
{
    private const int RefusedShown = 20;

    /// <summary>Maps the routes of <see cref="NodeProtocol"/>.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var nodes = routes.MapGroup("").RequireAuthorization(Policies.Node).AddEndpointFilter<SignedByNode>().WithTags("Node protocol");
        nodes.MapPost(NodeProtocol.LeasesPath, LeaseAsync);
        nodes.MapGet(NodeProtocol.SelfPath, SelfAsync);
        nodes.MapMethods(NodeProtocol.ResultPath("{leaseId}"), ["HEAD"], OffsetAsync);
        nodes.MapPut(NodeProtocol.ResultPath("{leaseId}"), UploadAsync);
        nodes.MapPost(NodeProtocol.CompletePath("{leaseId}"), CompleteAsync);
        nodes.MapPost(NodeProtocol.RefusePath("{leaseId}"), RefuseAsync);
    }

    private static async Task<IResult> LeaseAsync(HttpContext http, LeaseDispatcher dispatcher, CancellationToken ct)
    {
        var node = SignedNode.Of(http);
        var read = Read<LeaseRequest>(node);
        if (read.Value is not { } request)
            return Problems.From(read.Rejection!);
        if (NodeProtocolShapes.Check(request) is { } shape)
            return Problems.From(shape);
        if (node.Node.SuspendedBecause is { } reason)
            return Problems.From(new Rejection("node_suspended", reason));
        var lease = await dispatcher.WaitAsync(node.Node, TimeSpan.FromSeconds(request.WaitSeconds), ct);
        return lease is null ? Results.NoContent() : Json(lease);
    }

    private static async Task<IResult> OffsetAsync(
        HttpContext http, string leaseId, LeaseEnds ends, ResultFiles files, CancellationToken ct)
    {
        var node = SignedNode.Of(http);
        if (await ends.WhyNotAsync(leaseId, node.Node.NodeId, ct) is { } rejection)
            return Problems.From(rejection);
        SetOffset(http, files.LengthOf(leaseId));
        return Results.NoContent();
    }

    private static async Task<IResult> UploadAsync(
        HttpContext http, string leaseId, LeaseEnds ends, ResultFiles files, CancellationToken ct)
    {
        var node = SignedNode.Of(http);
        var text = http.Request.Headers[NodeProtocol.UploadOffsetHeader].ToString();
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            return Problems.From(new Rejection("bad_offset", "Upload-Offset is missing or is no number.", "Upload-Offset"));
        if (await ends.WhyNotAsync(leaseId, node.Node.NodeId, ct) is { } rejection)
            return Problems.From(rejection);
        var appended = await files.AppendAsync(leaseId, offset, node.Body, ct);
        SetOffset(http, files.LengthOf(leaseId));
        return appended.Rejection is { } problem ? Problems.From(problem) : Results.NoContent();
    }

    private static async Task<IResult> CompleteAsync(
        HttpContext http, string leaseId, LeaseEnds ends, CancellationToken ct)
    {
        var node = SignedNode.Of(http);
        var read = Read<TaskResult>(node);
        if (read.Value is not { } result)
            return Problems.From(read.Rejection!);
        if (result.LeaseId != leaseId)
            return Problems.From(new Rejection("unknown_lease", "The result names another lease.", "leaseId"));
        // Before anything reads its pages: an array may hold a null.
        if (NodeProtocolShapes.Check(result) is { } shape)
            return Problems.From(shape);
        var completed = await ends.CompleteAsync(leaseId, node.Node.NodeId, result, ct);
        return completed.Rejection is { } problem ? Problems.From(problem) : Json(completed.Value!);
    }

    private static async Task<IResult> RefuseAsync(
        HttpContext http, string leaseId, LeaseEnds ends, CancellationToken ct)
    {
        var node = SignedNode.Of(http);
        var read = Read<LeaseRefusal>(node);
        if (read.Value is not { } refusal)
            return Problems.From(read.Rejection!);
        var code = JsonNamingPolicy.SnakeCaseLower.ConvertName(refusal.Reason.ToString());
        var rejection = await ends.RefuseAsync(leaseId, node.Node.NodeId, code, refusal.Detail, ct);
        return rejection is null ? Results.NoContent() : Problems.From(rejection);
    }

    private static async Task<IResult> SelfAsync(HttpContext http, ShardSessions sessions, CancellationToken ct)
    {
        var node = SignedNode.Of(http).Node;
        await using var command = sessions.DataSource(ShardRole.Region).CreateCommand(
            "select lease_id, code, coalesce(detail, ''), ended_at from work_lease "
            + "where node_id = $1 and state = 'rejected' order by leased_at desc limit $2");
        command.Parameters.Add(new NpgsqlParameter { Value = node.NodeId });
        command.Parameters.Add(new NpgsqlParameter { Value = RefusedShown });
        var refused = new List<RefusedResult>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            refused.Add(new RefusedResult(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<DateTimeOffset>(3)));
        }

        return Json(new NodeSelf(
            node.NodeId, node.SuspendedBecause is null ? "active" : "suspended",
            new NodeLimits(node.Limits.DailyBytesMax, node.Limits.BytesPerSecondMax), refused));
    }

    private static Result<T> Read<T>(SignedNode node)
        where T : class
    {
        try
        {
            using var json = JsonDocument.Parse(node.Body);
            if (!JsonText.IsSound(json.RootElement))
                return new Rejection("malformed", "The database keeps no text with U+0000.");
            return json.RootElement.Deserialize<T>(WireJson.Messages) is { } message
                ? message
                : new Rejection("malformed", "The body is null.");
        }
        catch (InvalidOperationException)
        {
            return new Rejection("malformed", "A text is no Unicode.");
        }
        catch (JsonException fault)
        {
            return new Rejection("malformed", fault.Message, fault.Path);
        }
    }

    private static IResult Json<T>(T message) => Results.Json(message, WireJson.Messages);

    private static void SetOffset(HttpContext http, long offset) =>
        http.Response.Headers[NodeProtocol.UploadOffsetHeader] = offset.ToString(CultureInfo.InvariantCulture);
}
