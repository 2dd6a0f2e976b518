using Lumora.Api.Identity;
using Lumora.Api.Tasks;
using Lumora.Chain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Nodes;
using Lumora.Projections.EventStore;
using Lumora.Projections.Nodes;
using SimpleBase;

namespace Lumora.Api.Nodes;

/// <summary>A registered node that signed the request at hand, and the body that its signature covers.</summary>
/// <param name="Node">The node.</param>
/// <param name="Body">All of the body; empty without one.</param>
internal sealed record SignedNode(NodeView Node, ReadOnlyMemory<byte> Body)
{
    private static readonly object Key = new();

    /// <summary>Whom the events of this request name.</summary>
    public Actor Actor => new($"node:{Node.NodeId}", Roles.Node);

    /// <summary>The node that signed the request of <paramref name="http"/>.</summary>
    public static SignedNode Of(HttpContext http) =>
        (SignedNode?)http.Items[Key] ?? throw new InvalidOperationException("The route has no node signature filter.");

    /// <summary>Remembers who signed.</summary>
    public void Attach(HttpContext http) => http.Items[Key] = this;
}

/// <summary>Loads the node that signed the request, and its body; the policy of nodes has verified both before.</summary>
internal sealed class SignedByNode(ShardSessions sessions) : IEndpointFilter
{
    /// <inheritdoc/>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        await using var session = sessions.Query(ShardRole.Region);
        var node = await session.LoadAsync<NodeView>(
            NodeState.StreamOf(http.User.ToActor().NodeId()), http.RequestAborted);
        if (node is null)
            return Problems.From(new Rejection("unknown_node", "No provider has registered this node."));
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        if (body.Length > Domain.Tasks.NodeProtocol.ChunkBytesMax)
            return Problems.From(new Rejection(
                "body_too_large", $"A body has at most {Domain.Tasks.NodeProtocol.ChunkBytesMax} bytes."));
        new SignedNode(node, body.ToArray()).Attach(http);
        return await next(context);
    }
}

/// <summary>The registered nodes. A suspended one may still ask why.</summary>
internal sealed class NodeDirectory(ShardSessions sessions) : INodeDirectory
{
    public async ValueTask<bool> IsRegisteredAsync(string nodeId, CancellationToken cancellationToken)
    {
        await using var session = sessions.Query(ShardRole.Region);
        return await session.LoadAsync<NodeView>(NodeState.StreamOf(nodeId), cancellationToken) is not null;
    }
}

/// <summary>Node ids: base58 of 32 bytes.</summary>
internal static class NodeKey
{
    /// <summary>The Ed25519 public key of <paramref name="nodeId"/>, or null when it is none.</summary>
    public static byte[]? Read(string nodeId)
    {
        if (nodeId.Length is < 32 or > 44)
            return null;
        var bytes = new byte[48];
        return Base58Text.TryDecode(nodeId, bytes, out var length) && length == 32
            && Base58.Bitcoin.Encode(bytes.AsSpan(0, 32)) == nodeId
            ? bytes[..32]
            : null;
    }
}
