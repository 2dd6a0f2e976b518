using System.Security.Cryptography;
using Lumora.Domain.Cryptography;
using SimpleBase;

#if LUMORA_NODE
namespace Lumora.Node.Cryptography;
#else
namespace Lumora.Chain.Cryptography;
#endif

/// <summary>
/// Signs each request of an <see cref="HttpClient"/> with a node's key (RFC 9421, <see cref="NodeRequest"/>). Put it
/// inside of a retry handler: a repeated request needs a new nonce. Buffers the body (chunks are at most 4 MiB).
/// </summary>
/// <param name="seed">The node's Ed25519 secret, 32 bytes.</param>
/// <param name="curve">Ed25519.</param>
/// <param name="clock">Must agree with the server's to a minute.</param>
#if LUMORA_NODE
internal
#else
public
#endif
sealed class NodeSigningHandler(byte[] seed, ICurve25519 curve, TimeProvider clock) : DelegatingHandler
{
    /// <summary>Base58 of the node's public key.</summary>
    public string NodeId { get; } = Base58.Bitcoin.Encode(curve.Ed25519PublicKey(seed));

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var uri = request.RequestUri ?? throw new ArgumentException("The request has no address.", nameof(request));
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        if (request.Content is { } content)
        {
            var body = await content.ReadAsByteArrayAsync(cancellationToken);
            content.Headers.Remove(ContentDigest.FieldName);
            fields[ContentDigest.FieldName] = ContentDigest.Of(body);
            content.Headers.TryAddWithoutValidation(ContentDigest.FieldName, fields[ContentDigest.FieldName]);
        }

        if (request.Headers.TryGetValues(NodeRequest.UploadOffsetField, out var offset))
            fields[NodeRequest.UploadOffsetField] = string.Join(", ", offset);
        var signable = new SignableRequest(
            request.Method.Method, (request.Headers.Host ?? uri.Authority).ToLowerInvariant(), uri.AbsolutePath, uri.Query, fields);
        var nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var signature = NodeRequest.Sign(signable, NodeId, clock.GetUtcNow(), nonce, seed, curve);
        request.Headers.Remove(HttpMessageSignature.InputField);
        request.Headers.Remove(HttpMessageSignature.SignatureField);
        request.Headers.TryAddWithoutValidation(HttpMessageSignature.InputField, signature.Input);
        request.Headers.TryAddWithoutValidation(HttpMessageSignature.SignatureField, signature.Signature);
        return await base.SendAsync(request, cancellationToken);
    }
}
