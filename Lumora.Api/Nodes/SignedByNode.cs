using System.Collections.Concurrent;
using System.Security.Cryptography;
using Lumora.Api.Tasks;
using Lumora.Domain.Cryptography;
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

/// <summary>
/// Admits requests that a registered node signed (RFC 9421): over method, authority, path, query and the body's
/// digest, not older than a minute, each nonce once.
/// </summary>
internal sealed class SignedByNode(
    ICurve25519 curve, ShardSessions sessions, TimeProvider clock, NonceGuard nonces) : IEndpointFilter
{
    /// <summary>Bytes of a body that is held in memory until its digest is checked.</summary>
    public const int BodyBytesMax = Domain.Tasks.NodeProtocol.ChunkBytesMax;

    /// <inheritdoc/>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var body = await ReadBodyAsync(http.Request, http.RequestAborted);
        if (body is null)
            return Problems.From(new Rejection("body_too_large", $"A body has at most {BodyBytesMax} bytes."));
        var verified = Verify(http.Request, body);
        if (verified.Value is not { } signature)
            return Problems.From(verified.Rejection!);
        await using var session = sessions.Query(ShardRole.Region);
        var node = await session.LoadAsync<NodeView>(NodeState.StreamOf(signature.KeyId), http.RequestAborted);
        if (node is null)
            return Problems.From(new Rejection("unknown_node", "No provider has registered this node."));
        new SignedNode(node, body).Attach(http);
        return await next(context);
    }

    private Result<SignatureParameters> Verify(HttpRequest request, byte[] body)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in (string[])[ContentDigest.FieldName, NodeRequest.UploadOffsetField])
        {
            if (request.Headers.TryGetValue(name, out var value))
                fields[name] = value.ToString();
        }

        var digest = fields.GetValueOrDefault(ContentDigest.FieldName);
        if (body.Length > 0 && (digest is null || !ContentDigest.Matches(digest, SHA256.HashData(body))))
            return new Rejection("digest_wrong", "Content-Digest is missing or is not the body's SHA-256.");

        var signable = new SignableRequest(
            request.Method, request.Host.Value!.ToLowerInvariant(), request.Path.Value!, request.QueryString.Value ?? "",
            fields);
        var signature = new SignatureFields(
            request.Headers[HttpMessageSignature.InputField].ToString(),
            request.Headers[HttpMessageSignature.SignatureField].ToString());
        var verified = NodeRequest.Verify(signable, signature, clock.GetUtcNow(), NodeKey.Read, curve);
        if (verified.Value is { } parameters && !nonces.TryUse($"{parameters.KeyId}/{parameters.Nonce}"))
            return new Rejection("signature_replayed", "This signature was used before; sign each request anew.");
        return verified;
    }

    private static async Task<byte[]?> ReadBodyAsync(HttpRequest request, CancellationToken ct)
    {
        if (request.ContentLength > BodyBytesMax)
            return null;
        using var buffer = new MemoryStream();
        var chunk = new byte[81_920];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, ct)) > 0)
        {
            if (buffer.Length + read > BodyBytesMax)
                return null;
            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
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
        return Base58.Bitcoin.TryDecode(nodeId, bytes, out var length) && length == 32
            && Base58.Bitcoin.Encode(bytes.AsSpan(0, 32)) == nodeId
            ? bytes[..32]
            : null;
    }
}

/// <summary>
/// Nonces of the last two minutes: longer than a signature is valid. Bounded: when it is full, requests are
/// refused rather than admitted unchecked.
/// </summary>
internal sealed class NonceGuard(TimeProvider clock)
{
    private const int NoncesMax = 500_000;
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(2 * NodeRequest.SkewSecondsMax);
    private readonly ConcurrentDictionary<string, long> _used = new(StringComparer.Ordinal);
    private long _sweptAt;

    /// <summary>False when <paramref name="nonce"/> was used before.</summary>
    public bool TryUse(string nonce)
    {
        var now = clock.GetTimestamp();
        if (clock.GetElapsedTime(Interlocked.Read(ref _sweptAt), now) > Kept)
        {
            Interlocked.Exchange(ref _sweptAt, now);
            foreach (var (old, at) in _used)
            {
                if (clock.GetElapsedTime(at, now) > Kept)
                    _used.TryRemove(old, out _);
            }
        }

        return _used.Count < NoncesMax && _used.TryAdd(nonce, now);
    }
}
